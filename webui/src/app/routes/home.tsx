import { Link, useSearchParams } from "wouter";
import { useRestaurants } from "@/api/get-restaurants";
import { Button, buttonClass } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { countOf, MAX_QUANTITY, quantityOf, subtotalOf } from "@/features/cart/cart";
import { CartPanel } from "@/features/cart/components/cart-panel";
import { SwitchDialog } from "@/features/cart/components/switch-dialog";
import { changeQuantity, useAddToCart, useCart, useReconciledCart } from "@/features/cart/use-cart";
import { FilterBar } from "@/features/shop/components/filter-bar";
import { Hero } from "@/features/shop/components/hero";
import { RestaurantSection } from "@/features/shop/components/restaurant-section";
import { cuisinesOf, filterMenus, type MenuFilter } from "@/features/shop/filter";
import { plural } from "@/lib/format";
import { formatCents } from "@/lib/money";
import { usePageTitle } from "@/lib/use-page-title";
import { MenuSkeleton } from "../components/menu-skeleton";
import styles from "./home.module.css";

export function Home() {
  usePageTitle("Menu");
  const restaurants = useRestaurants();
  const cart = useCart();
  const changes = useReconciledCart(restaurants.data);
  const { pending, add, confirm, dismiss } = useAddToCart();
  const [params, setParams] = useSearchParams();
  const filter: MenuFilter = {
    text: params.get("q") ?? "",
    cuisine: params.get("kitchen"),
    vegetarian: params.has("vegetarian"),
  };
  const found = filterMenus(restaurants.data ?? [], filter);
  const dishes = found.reduce((count, restaurant) => count + restaurant.menu.length, 0);

  function setFilter(next: MenuFilter): void {
    setParams(
      () => ({
        ...(next.text ? { q: next.text } : {}),
        ...(next.cuisine ? { kitchen: next.cuisine } : {}),
        ...(next.vegetarian ? { vegetarian: "" } : {}),
      }),
      { replace: true },
    );
  }

  return (
    <>
      <Hero />
      <div className={styles.page}>
        <div className={styles.menu}>
          <FilterBar filter={filter} cuisines={cuisinesOf(restaurants.data ?? [])} onChange={setFilter} />
          <p className="visually-hidden" role="status">
            {restaurants.data
              ? `${plural(dishes, "dish", "dishes")} from ${plural(found.length, "restaurant")}`
              : ""}
          </p>
          {changes.map((change) => (
            <Notice key={change}>{change}</Notice>
          ))}
          {restaurants.isPending ? <MenuSkeleton /> : null}
          {restaurants.isError ? (
            <Notice tone="bad" title="The menu could not be loaded" isAlert>
              <p>{restaurants.error.message}</p>
              <p>
                <Button onClick={() => void restaurants.refetch()}>Try again</Button>
              </p>
            </Notice>
          ) : null}
          {found.map((restaurant) => (
            <RestaurantSection
              key={restaurant.restaurantId}
              restaurant={restaurant}
              quantityOf={(productId) =>
                cart.restaurant?.restaurantId === restaurant.restaurantId ? quantityOf(cart, productId) : 0
              }
              maxQuantity={MAX_QUANTITY}
              onAdd={add}
              onChangeQuantity={changeQuantity}
            />
          ))}
          {restaurants.data && found.length === 0 ? (
            <div className={styles.nothing}>
              <p>No kitchen is cooking that tonight.</p>
              <Button onClick={() => setFilter({ text: "", cuisine: null, vegetarian: false })}>
                Show everything
              </Button>
            </div>
          ) : null}
        </div>
        <aside className={styles.side} aria-label="Cart">
          <CartPanel
            cart={cart}
            action={
              <Link href="/checkout" className={buttonClass("primary", "large")}>
                Go to checkout
              </Link>
            }
          />
        </aside>
      </div>
      {cart.restaurant ? (
        <div className={styles.bar}>
          <Link href="/checkout" className={`${buttonClass("primary", "large")} ${styles.barLink}`}>
            <span>{plural(countOf(cart), "dish", "dishes")}</span>
            <span>Checkout</span>
            <span className="tabular">{formatCents(subtotalOf(cart))}</span>
          </Link>
        </div>
      ) : null}
      {pending ? (
        <SwitchDialog cart={cart} pending={pending} onConfirm={confirm} onDismiss={dismiss} />
      ) : null}
    </>
  );
}
