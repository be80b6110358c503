import { Link } from "wouter";
import { TiffinArt } from "@/components/brand";
import { buttonClass } from "@/components/ui/button";
import { usePageTitle } from "@/lib/use-page-title";
import styles from "./empty-page.module.css";

interface EmptyPageProps {
  title: string;
  text: string;
  /** Also links to the visitor's own orders. */
  isProblem?: boolean;
}

/** A page without content, with links to others. */
export function EmptyPage({ title, text, isProblem = false }: EmptyPageProps) {
  usePageTitle(title);
  return (
    <div className={styles.page}>
      <TiffinArt className={styles.art ?? ""} />
      <h1 className={styles.title} tabIndex={-1}>
        {title}
      </h1>
      <p className={styles.text}>{text}</p>
      <div className={styles.actions}>
        <Link href="/" className={buttonClass("primary")}>
          See the menu
        </Link>
        {isProblem ? (
          <Link href="/orders" className={buttonClass("secondary")}>
            My orders
          </Link>
        ) : null}
      </div>
    </div>
  );
}
