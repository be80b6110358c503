import styles from "./waiting.module.css";

/** A page whose content is still loading. */
export function Waiting({ text }: { text: string }) {
  return (
    <p className={styles.waiting} role="status">
      {text}
    </p>
  );
}
