import * as v from "valibot";
import { createPersistedStore } from "@/lib/persisted-store";
import type { Ticket } from "./api/make-order-id";
import type { NewOrder } from "./api/place-order";
import type { Start } from "./draft";

/**
 * An order that is being sent, and may or may not have been taken already.
 *
 * It has one id, which is kept until the gateway has said yes or no: however often it is sent, by a double click, after a
 * reload, from another tab, it is one order.
 */
export interface Attempt extends Ticket {
  /** What is ordered; another content is another order. */
  content: string;
  /** The delay that was sent with it first, in ms; `null` if it has not been sent. */
  deliveryDelay: number | null;
}

const attemptSchema = v.nullable(
  v.object({
    orderId: v.pipe(v.string(), v.uuid()),
    key: v.optional(v.nullable(v.string()), null),
    content: v.string(),
    deliveryDelay: v.optional(v.nullable(v.number()), null),
  }),
);

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

/** The attempt to send this content: the one that is under way if it is the same, else a new one with this ticket. */
export function attemptFor(current: Attempt | null, content: string, ticket: Ticket): Attempt {
  return current?.content === content ? current : { ...ticket, content, deliveryDelay: null };
}

/** The attempt, to be sent with this delay if it has not been sent with another one before. */
export function sentWith(current: Attempt | null, orderId: string, deliveryDelay: number): Attempt | null {
  return current?.orderId === orderId && current.deliveryDelay === null
    ? { ...current, deliveryDelay }
    : current;
}
