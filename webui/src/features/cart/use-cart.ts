import { useEffect, useState } from "react";
import type { Dish, Restaurant } from "@/api/get-restaurants";
import { useStore } from "@/lib/persisted-store";
import { add, type Cart, EMPTY_CART, isOfAnother, reconcile, setQuantity } from "./cart";
import { cartStore } from "./cart-store";

/** A dish that waits until the visitor agrees to replace those of another restaurant. */
export interface PendingSwitch {
  restaurant: Restaurant;
  dish: Dish;
}

/** The cart of this device. */
export const useCart = (): Cart => useStore(cartStore);

export const changeQuantity = (productId: string, quantity: number): void => {
  cartStore.update((cart) => setQuantity(cart, productId, quantity));
};

export const clearCart = (): void => {
  cartStore.update(() => EMPTY_CART);
};

/** Puts dishes of one restaurant into the cart, replacing its content. */
export const replaceCart = (cart: Cart): void => {
  cartStore.update(() => cart);
};

/** Adds dishes; asks before removing those of another restaurant. */
export function useAddToCart() {
  const [pending, setPending] = useState<PendingSwitch | null>(null);
  return {
    pending,
    add(restaurant: Restaurant, dish: Dish) {
      if (isOfAnother(cartStore.get(), restaurant.restaurantId)) setPending({ restaurant, dish });
      else cartStore.update((cart) => add(cart, restaurant, dish));
    },
    confirm() {
      if (pending) cartStore.update((cart) => add(cart, pending.restaurant, pending.dish));
      setPending(null);
    },
    dismiss() {
      setPending(null);
    },
  };
}

/** Keeps the cart consistent with the menus; returns what had to be changed. */
export function useReconciledCart(restaurants: readonly Restaurant[] | undefined): string[] {
  const [changes, setChanges] = useState<string[]>([]);
  useEffect(() => {
    if (restaurants === undefined) return;
    const { cart, changes: found } = reconcile(cartStore.get(), restaurants);
    if (cart === cartStore.get()) return;
    cartStore.update(() => cart);
    setChanges(found);
  }, [restaurants]);
  return changes;
}
