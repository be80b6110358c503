import { DishArt } from "@/components/dish-art/dish-art";
import { Stepper } from "@/components/ui/stepper";
import { formatCents, times } from "@/lib/money";
import { type Cart, MAX_QUANTITY } from "../cart";
import { changeQuantity } from "../use-cart";
import styles from "./cart-lines.module.css";

/** The dishes in the cart, with their quantities. */
export function CartLines({ cart }: { cart: Cart }) {
  return (
    <ul className={styles.lines}>
      {cart.lines.map((line) => (
        <li key={line.productId} className={styles.line}>
          <DishArt
            productId={line.productId}
            restaurantId={cart.restaurant?.restaurantId ?? ""}
            className={styles.art ?? ""}
          />
          <span className={styles.name}>{line.name}</span>
          <span className={`${styles.price} tabular`}>{formatCents(times(line.price, line.quantity))}</span>
          <span className={styles.stepper}>
            <Stepper
              label={line.name}
              value={line.quantity}
              max={MAX_QUANTITY}
              onChange={(quantity) => changeQuantity(line.productId, quantity)}
            />
          </span>
        </li>
      ))}
    </ul>
  );
}
