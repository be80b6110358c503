import type { Dish, Restaurant } from "@/api/get-restaurants";
import { DishCard } from "./dish-card";
import styles from "./restaurant-section.module.css";

interface RestaurantSectionProps {
  restaurant: Restaurant;
  quantityOf: (productId: string) => number;
  maxQuantity: number;
  onAdd: (restaurant: Restaurant, dish: Dish) => void;
  onChangeQuantity: (productId: string, quantity: number) => void;
}

export function RestaurantSection({
  restaurant,
  quantityOf,
  maxQuantity,
  onAdd,
  onChangeQuantity,
}: RestaurantSectionProps) {
  const { restaurantId, name, cuisine, description, menu } = restaurant;
  return (
    <section
      id={restaurantId}
      className={styles.section}
      aria-labelledby={`${restaurantId}-name`}
      data-restaurant={restaurantId}
    >
      <header className={styles.head}>
        <h2 id={`${restaurantId}-name`} className={styles.name}>
          {name}
        </h2>
        <p className={styles.cuisine}>{cuisine}</p>
        <p className={styles.description}>{description}</p>
      </header>
      <div className={styles.menu}>
        {menu.map((dish) => (
          <DishCard
            key={dish.productId}
            dish={dish}
            restaurantId={restaurantId}
            quantity={quantityOf(dish.productId)}
            maxQuantity={maxQuantity}
            onAdd={() => onAdd(restaurant, dish)}
            onChangeQuantity={(quantity) => onChangeQuantity(dish.productId, quantity)}
          />
        ))}
      </div>
    </section>
  );
}
