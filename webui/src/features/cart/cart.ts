import type { Dish, Restaurant } from "@/api/get-restaurants";
import { type Cents, sum, times } from "@/lib/money";

/** What the visitor is about to order: dishes of one restaurant. */
export interface Cart {
  /** `null` while the cart is empty. */
  restaurant: { restaurantId: string; name: string } | null;
  lines: CartLine[];
}

/** A dish in the cart, with everything needed to show it while the menu cannot be loaded. */
export interface CartLine {
  productId: string;
  name: string;
  /** The price of one. */
  price: Cents;
  quantity: number;
}

export const EMPTY_CART: Cart = { restaurant: null, lines: [] };

/** The most of one dish that the shop sells at once. */
export const MAX_QUANTITY = 50;

/** Whether adding a dish of this restaurant would replace the dishes of another. */
export const isOfAnother = (cart: Cart, restaurantId: string): boolean =>
  cart.restaurant !== null && cart.restaurant.restaurantId !== restaurantId;

/** Adds one of a dish. Dishes of another restaurant are removed, so ask first. */
export function add(cart: Cart, restaurant: Pick<Restaurant, "restaurantId" | "name">, dish: Dish): Cart {
  const { restaurantId, name } = restaurant;
  const kept = isOfAnother(cart, restaurantId) ? EMPTY_CART : cart;
  const quantity = quantityOf(kept, dish.productId);
  if (quantity > 0) return setQuantity(kept, dish.productId, quantity + 1);
  const line = { productId: dish.productId, name: dish.name, price: dish.price, quantity: 1 };
  return { restaurant: { restaurantId, name }, lines: [...kept.lines, line] };
}

/** Changes a quantity; zero removes the dish. */
export function setQuantity(cart: Cart, productId: string, quantity: number): Cart {
  const wanted = Math.min(Math.max(Math.trunc(quantity), 0), MAX_QUANTITY);
  const lines = cart.lines
    .map((line) => (line.productId === productId ? { ...line, quantity: wanted } : line))
    .filter((line) => line.quantity > 0);
  return lines.length === 0 ? EMPTY_CART : { ...cart, lines };
}

export const quantityOf = (cart: Cart, productId: string): number =>
  cart.lines.find((line) => line.productId === productId)?.quantity ?? 0;

export const countOf = (cart: Cart): number => cart.lines.reduce((count, line) => count + line.quantity, 0);

export const subtotalOf = (cart: Cart): Cents =>
  sum(cart.lines.map((line) => times(line.price, line.quantity)));

/** How the menu differs from the cart, after the cart was left alone for a while. */
export interface Reconciled {
  cart: Cart;
  /** For people; empty if nothing has changed. */
  changes: string[];
}

/** Updates names and prices from the current menus; removes dishes that are no longer sold. */
export function reconcile(cart: Cart, restaurants: readonly Restaurant[]): Reconciled {
  const { restaurant } = cart;
  if (restaurant === null) return { cart, changes: [] };
  const current = restaurants.find((it) => it.restaurantId === restaurant.restaurantId);
  if (current === undefined) {
    return { cart: EMPTY_CART, changes: [`${restaurant.name} is closed: its dishes were removed.`] };
  }
  const changes: string[] = [];
  const lines = cart.lines.flatMap((line) => {
    const dish = current.menu.find((it) => it.productId === line.productId);
    if (dish === undefined) {
      changes.push(`${line.name} is no longer on the menu.`);
      return [];
    }
    if (dish.price !== line.price) changes.push(`${dish.name} has a new price.`);
    if (dish.price === line.price && dish.name === line.name) return [line];
    return [{ ...line, name: dish.name, price: dish.price }];
  });
  const isSame = lines.length === cart.lines.length && lines.every((line, n) => line === cart.lines[n]);
  if (isSame) return { cart, changes };
  return { cart: lines.length === 0 ? EMPTY_CART : { restaurant, lines }, changes };
}
