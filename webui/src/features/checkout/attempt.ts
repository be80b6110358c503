import * as v from "valibot";
import { createPersistedStore } from "@/lib/persisted-store";
import type { Ticket } from "./api/make-order-id";
import type { NewOrder } from "./api/place-order";
import type { Start } from "./draft";

/**
 * An order that is being sent, and that may or may not have been accepted already.
 *
 * It keeps its id until the gateway has accepted or refused it: however often it is sent, by a double click, after a reload or
 * from another tab, it is one order.
 */
export interface Attempt extends Ticket {
  /** What is ordered; different content is a different order. */
  content: string;
  /** The delay that was first sent with it, in ms; `null` if it has not been sent. */
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

/** What identifies an order as the same order. */
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

/** The attempt to send this content: the current one if the content is the same, otherwise a new one with this ticket. */
export function attemptFor(current: Attempt | null, content: string, ticket: Ticket): Attempt {
  return current?.content === content ? current : { ...ticket, content, deliveryDelay: null };
}

/** The attempt with this delay, unless it was sent with another one before. */
export function sentWith(current: Attempt | null, orderId: string, deliveryDelay: number): Attempt | null {
  return current?.orderId === orderId && current.deliveryDelay === null
    ? { ...current, deliveryDelay }
    : current;
}
