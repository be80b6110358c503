import type { ReactNode } from "react";
import { Icon, type IconName } from "./icon";
import styles from "./notice.module.css";

export interface NoticeProps {
  tone?: "info" | "warning" | "bad" | "good";
  title?: string;
  icon?: IconName;
  children?: ReactNode;
  /** Screen readers announce it when it appears. */
  isAlert?: boolean;
}

/** A message for the visitor, at the place where it matters. */
export function Notice({ tone = "info", title, icon = "alert", children, isAlert = false }: NoticeProps) {
  return (
    <div className={styles.notice} data-tone={tone} role={isAlert ? "alert" : undefined}>
      <Icon name={icon} />
      <div className={styles.text}>
        {title ? <p className={styles.title}>{title}</p> : null}
        {children}
      </div>
    </div>
  );
}
