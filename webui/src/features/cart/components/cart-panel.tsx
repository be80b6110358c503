import type { ReactNode } from "react";
import { TiffinArt } from "@/components/brand";
import { formatCents } from "@/lib/money";
import { type Cart, subtotalOf } from "../cart";
import { CartLines } from "./cart-lines";
import styles from "./cart-panel.module.css";

/** The cart beside the menu. `action` leads to the next page. */
export function CartPanel({ cart, action }: { cart: Cart; action: ReactNode }) {
  return (
    <section className={styles.panel} aria-labelledby="cart-title">
      <h2 id="cart-title" className={styles.title}>
        Your order
      </h2>
      {cart.restaurant === null ? (
        <div className={styles.empty}>
          <TiffinArt className={styles.emptyArt ?? ""} />
          <p>Nothing packed yet. Pick a dish and it lands here.</p>
        </div>
      ) : (
        <>
          <p className={styles.from}>from {cart.restaurant.name}</p>
          <CartLines cart={cart} />
          <p className={styles.subtotal}>
            <span>Subtotal</span>
            <output className="tabular">{formatCents(subtotalOf(cart))}</output>
          </p>
          {action}
        </>
      )}
    </section>
  );
}
