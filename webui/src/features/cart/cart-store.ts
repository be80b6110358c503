import * as v from "valibot";
import { cents } from "@/lib/money";
import { createPersistedStore } from "@/lib/persisted-store";
import { type Cart, EMPTY_CART, MAX_QUANTITY } from "./cart";

const wholeNumber = v.pipe(v.number(), v.integer());

const cartSchema = v.object({
  restaurant: v.object({ restaurantId: v.string(), name: v.string() }),
  lines: v.pipe(
    v.array(
      v.object({
        productId: v.string(),
        name: v.string(),
        price: v.pipe(wholeNumber, v.minValue(0), v.maxValue(100_000_000), v.transform(cents)),
        quantity: v.pipe(wholeNumber, v.minValue(1), v.maxValue(MAX_QUANTITY)),
      }),
    ),
    v.minLength(1),
  ),
});

/** Reads a stored cart; `null` if it is invalid. */
export function parseCart(stored: unknown): Cart | null {
  const result = v.safeParse(cartSchema, stored);
  return result.success ? result.output : null;
}

/** The cart of this device. */
export const cartStore = createPersistedStore<Cart>({
  key: "tiffin.cart",
  version: 1,
  initial: EMPTY_CART,
  parse: parseCart,
});
