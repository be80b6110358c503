import { type ReactNode, type RefObject, useEffect, useRef } from "react";
import { Link, useLocation } from "wouter";
import { Mark } from "@/components/brand";
import { Icon } from "@/components/ui/icon";
import { countOf } from "@/features/cart/cart";
import { useCart } from "@/features/cart/use-cart";
import { BRAND } from "@/lib/brand";
import { plural } from "@/lib/format";
import { ClockNotice } from "./clock-notice";
import { GatewayBanner } from "./gateway-banner";
import styles from "./layout.module.css";
import { ThemeToggle } from "./theme-toggle";

const PAGES = [
  { href: "/", name: "Menu" },
  { href: "/orders", name: "My orders" },
  { href: "/operations", name: "Operations" },
];

export function Layout({ children }: { children: ReactNode }) {
  const [location] = useLocation();
  const count = countOf(useCart());
  const main = useRef<HTMLElement>(null);
  useArrival(location, main);
  return (
    <div className={styles.layout}>
      <a href="#main" className={styles.skip}>
        Skip to the content
      </a>
      <header className={styles.header}>
        <div className={styles.headerInner}>
          <Link href="/" className={styles.brand} aria-label={`${BRAND}, to the menu`}>
            <Mark />
            <span className={styles.brandName}>{BRAND}</span>
          </Link>
          <nav className={styles.nav} aria-label="Pages">
            {PAGES.map(({ href, name }) => (
              <Link
                key={href}
                href={href}
                className={styles.navLink}
                data-page={href}
                aria-current={location === href ? "page" : undefined}
              >
                {name}
              </Link>
            ))}
          </nav>
          <ThemeToggle />
          <Link
            href="/checkout"
            className={styles.cart}
            aria-label={`Cart, ${plural(count, "dish", "dishes")}`}
          >
            <Icon name="bag" size={22} />
            {count > 0 ? <span className={`${styles.count} tabular`}>{count}</span> : null}
          </Link>
        </div>
      </header>
      <GatewayBanner />
      <main id="main" ref={main} tabIndex={-1} className={styles.main}>
        <ClockNotice />
        {children}
      </main>
      <footer className={styles.footer}>
        <p>
          {BRAND} is a demonstration: real durable execution, drawn dishes.{" "}
          <Link href="/operations">Look behind the counter</Link>
        </p>
      </footer>
    </div>
  );
}

/** After a change of page, starts at the top of the new page, also for screen readers. */
function useArrival(location: string, main: RefObject<HTMLElement | null>): void {
  const previous = useRef(location);
  useEffect(() => {
    if (previous.current === location) return;
    previous.current = location;
    window.scrollTo({ top: 0, behavior: "instant" });
    // A page that is still loading has no title yet.
    const title = main.current?.querySelector<HTMLElement>("h1") ?? main.current;
    title?.focus({ preventScroll: true });
  }, [location, main]);
}
