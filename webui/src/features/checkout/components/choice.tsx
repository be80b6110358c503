import type { ReactNode } from "react";
import styles from "./choice.module.css";

interface ChoiceProps {
  name: string;
  isChosen: boolean;
  onChoose: () => void;
  title: string;
  detail?: ReactNode;
  isInvalid?: boolean;
  describedBy?: string | undefined;
}

/** One of several options, as a card. */
export function Choice({
  name,
  isChosen,
  onChoose,
  title,
  detail,
  isInvalid = false,
  describedBy,
}: ChoiceProps) {
  return (
    <label className={styles.choice}>
      <input
        type="radio"
        name={name}
        className={styles.radio}
        checked={isChosen}
        onChange={onChoose}
        aria-invalid={isInvalid || undefined}
        aria-describedby={describedBy}
      />
      <span className={styles.text}>
        <span className={styles.title}>{title}</span>
        {detail ? <span className={styles.detail}>{detail}</span> : null}
      </span>
    </label>
  );
}
