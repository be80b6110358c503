import { useId } from "react";
import type { Dish } from "@/api/get-restaurants";
import { DishArt } from "@/components/dish-art/dish-art";
import { Icon } from "@/components/ui/icon";
import { Stepper } from "@/components/ui/stepper";
import { formatCents } from "@/lib/money";
import styles from "./dish-card.module.css";

interface DishCardProps {
  dish: Dish;
  restaurantId: string;
  quantity: number;
  maxQuantity: number;
  onAdd: () => void;
  onChangeQuantity: (quantity: number) => void;
}

export function DishCard({
  dish,
  restaurantId,
  quantity,
  maxQuantity,
  onAdd,
  onChangeQuantity,
}: DishCardProps) {
  const nameId = useId();
  return (
    <article className={styles.card} aria-labelledby={nameId} data-in-cart={quantity > 0 || undefined}>
      <DishArt productId={dish.productId} restaurantId={restaurantId} className={styles.art ?? ""} />
      <div className={styles.text}>
        <h3 id={nameId} className={styles.name}>
          {dish.name}
        </h3>
        <p className={styles.description}>{dish.description}</p>
        {dish.vegetarian ? (
          <p className={styles.vegetarian}>
            <Icon name="leaf" size={16} />
            Vegetarian
          </p>
        ) : null}
      </div>
      <div className={styles.foot}>
        <p className={`${styles.price} tabular`}>{formatCents(dish.price)}</p>
        {quantity > 0 ? (
          <Stepper label={dish.name} value={quantity} max={maxQuantity} onChange={onChangeQuantity} />
        ) : (
          <button type="button" className={styles.add} aria-label={`Add ${dish.name}`} onClick={onAdd}>
            <Icon name="plus" />
          </button>
        )}
      </div>
    </article>
  );
}
