import styles from "./menu-skeleton.module.css";

/** A placeholder for the menus. */
export function MenuSkeleton() {
  return (
    <div className={styles.skeleton} role="status">
      <span className="visually-hidden">Loading the menu</span>
      {Array.from({ length: 6 }, (_, n) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <span key={n} className={styles.card} />
      ))}
    </div>
  );
}
