import { Icon } from "@/components/ui/icon";
import styles from "./field-error.module.css";

/** What is wrong with a field, beside it. */
export function FieldError({ id, error }: { id: string; error: string | undefined }) {
  if (error === undefined) return null;
  return (
    <p id={id} className={styles.error}>
      <Icon name="alert" size={18} />
      {error}
    </p>
  );
}
