import styles from "./dish-art.module.css";
import { pictureOf } from "./dishes";

export interface DishArtProps {
  productId: string;
  /** The restaurant whose tablecloth is shown; without one, only the dish. */
  restaurantId?: string;
  className?: string;
}

/** A dish on the table, seen from above. It only illustrates the text beside it. */
export function DishArt({ productId, restaurantId, className }: DishArtProps) {
  const Picture = pictureOf(productId);
  const picture = (
    <svg viewBox="-104 -104 208 208" className={styles.picture} aria-hidden="true" focusable="false">
      <Picture />
    </svg>
  );
  if (restaurantId === undefined) return <span className={className}>{picture}</span>;
  return (
    <span className={`${styles.table} ${className ?? ""}`} data-cloth={restaurantId}>
      {picture}
    </span>
  );
}
