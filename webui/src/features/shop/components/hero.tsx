import { DishArt } from "@/components/dish-art/dish-art";
import styles from "./hero.module.css";

const TABLE = ["margherita", "pho-bo", "tacos-al-pastor", "limonata", "elote", "goi-cuon"];

export function Hero() {
  return (
    <section className={styles.hero} aria-labelledby="hero-title">
      <div className={styles.text}>
        <h1 id="hero-title" className={styles.title} tabIndex={-1}>
          Dinner that always finds its way.
        </h1>
        <p className={styles.lead}>
          Three San José kitchens, one lunch box, and a map that shows every turn to your door.
        </p>
      </div>
      <div className={styles.table} aria-hidden="true">
        {TABLE.map((productId) => (
          <DishArt key={productId} productId={productId} className={styles.dish ?? ""} />
        ))}
      </div>
    </section>
  );
}
