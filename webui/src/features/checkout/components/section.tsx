import type { ReactNode } from "react";
import styles from "./section.module.css";

/** A step of the checkout. */
export function Section({ number, title, children }: { number: number; title: string; children: ReactNode }) {
  const id = `checkout-${number}`;
  return (
    <section className={styles.section} aria-labelledby={id}>
      <h2 id={id} className={styles.title}>
        <span className={styles.number} aria-hidden="true">
          {number}
        </span>
        {title}
      </h2>
      {children}
    </section>
  );
}
