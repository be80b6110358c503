import type { ComponentProps } from "react";
import styles from "./button.module.css";
import { Icon, type IconName } from "./icon";

export interface ButtonProps extends ComponentProps<"button"> {
  look?: "primary" | "secondary" | "quiet" | "danger";
  size?: "medium" | "large";
  icon?: IconName;
  /** An action is running: the button cannot be pressed again, and keeps the focus. */
  isBusy?: boolean;
}

export function Button({
  look = "secondary",
  size = "medium",
  icon,
  isBusy = false,
  children,
  className = "",
  onClick,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={`${styles.button} ${styles[look]} ${styles[size]} ${className}`}
      aria-disabled={isBusy || undefined}
      onClick={(event) => {
        if (isBusy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {isBusy ? <span className={styles.spinner} aria-hidden="true" /> : icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** The look of a button, for a link. */
export function buttonClass(
  look: NonNullable<ButtonProps["look"]>,
  size: NonNullable<ButtonProps["size"]> = "medium",
): string {
  return `${styles.button} ${styles[look]} ${styles[size]}`;
}

export interface IconButtonProps extends Omit<ComponentProps<"button">, "aria-label"> {
  icon: IconName;
  /** What it does, for people who do not see the icon. */
  label: string;
}

export function IconButton({ icon, label, className = "", ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={`${styles.iconButton} ${className}`}
      aria-label={label}
      title={label}
    >
      <Icon name={icon} />
    </button>
  );
}
