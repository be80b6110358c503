import * as v from "valibot";
import { createPersistedStore } from "@/lib/persisted-store";
import type { NewOrder } from "./api/place-order";
import type { Start } from "./draft";

/**
 * An order that is being sent, and may or may not have been taken already.
 *
 * Its id is made once and kept until the gateway has said yes or no: however often it is sent, by a double click, after a
 * reload, from another tab, it is one order.
 */
export interface Attempt {
  orderId: string;
  /** What is ordered; another content is another order. */
  content: string;
}

const attemptSchema = v.nullable(v.object({ orderId: v.pipe(v.string(), v.uuid()), content: v.string() }));

export const attemptStore = createPersistedStore<Attempt | null>({
  key: "tiffin.attempt",
  version: 1,
  initial: null,
  parse: (stored) => {
    const result = v.safeParse(attemptSchema, stored);
    return result.success ? result.output : null;
  },
});

/** What makes an order the same order. */
export function contentOf(order: Omit<NewOrder, "orderId" | "deliveryDelay">, start: Start): string {
  const { restaurantId, products, totalCost, customerLocation } = order;
  return JSON.stringify([
    restaurantId,
    products.map((it) => [it.productId, it.quantity]),
    totalCost,
    customerLocation,
    start,
  ]);
}

/** The attempt to send this content: the one that is under way if it is the same, else a new one. */
export function attemptFor(current: Attempt | null, content: string, makeId: () => string): Attempt {
  return current?.content === content ? current : { orderId: makeId(), content };
}

/** A random UUID, also where the page came over plain HTTP from another machine and `randomUUID` is not to be had. */
export function makeOrderId(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (byte, n) => {
    if (n === 6) return ((byte & 0x0f) | 0x40).toString(16).padStart(2, "0");
    if (n === 8) return ((byte & 0x3f) | 0x80).toString(16).padStart(2, "0");
    return byte.toString(16).padStart(2, "0");
  }).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
