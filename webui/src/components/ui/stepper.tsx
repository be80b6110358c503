import { Icon } from "./icon";
import styles from "./stepper.module.css";

export interface StepperProps {
  /** What is counted. */
  label: string;
  value: number;
  max: number;
  onChange: (value: number) => void;
}

/** A quantity; below one, the item is removed. */
export function Stepper({ label, value, max, onChange }: StepperProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would be announced as a form of its own
    <span className={styles.stepper} role="group" aria-label={label}>
      <button
        type="button"
        className={styles.step}
        aria-label={value === 1 ? `Remove ${label}` : `One fewer ${label}`}
        onClick={() => onChange(value - 1)}
      >
        <Icon name={value === 1 ? "trash" : "minus"} size={18} />
      </button>
      <output className={`${styles.value} tabular`}>{value}</output>
      <button
        type="button"
        className={styles.step}
        aria-label={`One more ${label}`}
        disabled={value >= max}
        onClick={() => onChange(value + 1)}
      >
        <Icon name="plus" size={18} />
      </button>
    </span>
  );
}
