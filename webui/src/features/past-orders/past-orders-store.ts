import * as v from "valibot";
import { cents } from "@/lib/money";
import { createPersistedStore } from "@/lib/persisted-store";
import { type OrderStatus, toOrderStatus } from "@/types/order";

/** An order that was placed on this device. */
export interface PastOrder {
  orderId: string;
  /** The key for reading and cancelling the order; `null` if the gateway issues no keys. */
  key: string | null;
  /** The server's time, in ms. */
  placedAt: number;
  restaurantId: string;
  restaurantName: string;
  products: Array<{ productId: string; description: string; quantity: number }>;
  /** In cents. */
  total: ReturnType<typeof cents>;
  /** The last known status. */
  status: OrderStatus;
  /** Whether the gateway has accepted it. */
  isConfirmed: boolean;
}

/** More than anyone would look through. */
const MAX_KEPT = 50;

const pastOrderSchema = v.object({
  orderId: v.pipe(v.string(), v.minLength(1)),
  key: v.optional(v.nullable(v.string()), null),
  placedAt: v.pipe(v.number(), v.finite()),
  restaurantId: v.string(),
  restaurantName: v.string(),
  products: v.array(v.object({ productId: v.string(), description: v.string(), quantity: v.number() })),
  total: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(100_000_000), v.transform(cents)),
  status: v.pipe(v.string(), v.transform(toOrderStatus)),
  isConfirmed: v.boolean(),
});

/** Reads the stored orders; invalid ones are dropped, the others stay. */
export function parsePastOrders(stored: unknown): PastOrder[] | null {
  if (!Array.isArray(stored)) return null;
  return stored.flatMap((entry) => {
    const result = v.safeParse(pastOrderSchema, entry);
    return result.success ? [result.output] : [];
  });
}

export const pastOrdersStore = createPersistedStore<PastOrder[]>({
  key: "tiffin.orders",
  version: 1,
  initial: [],
  parse: parsePastOrders,
});

/** Adds an order at the top; an order that is listed already is replaced in its place. */
export function remember(orders: readonly PastOrder[], order: PastOrder): PastOrder[] {
  if (orders.some((it) => it.orderId === order.orderId)) {
    return orders.map((it) => (it.orderId === order.orderId ? { ...order, placedAt: it.placedAt } : it));
  }
  return [order, ...orders].slice(0, MAX_KEPT);
}

export const forget = (orders: readonly PastOrder[], orderId: string): PastOrder[] =>
  orders.filter((order) => order.orderId !== orderId);

/** Records the status of an order. An ended order stays ended, except that a rejected order may be corrected. */
export function noteStatus(orders: PastOrder[], orderId: string, status: OrderStatus): PastOrder[] {
  const order = orders.find((it) => it.orderId === orderId);
  if (order === undefined || order.status === "DELIVERED" || order.status === "CANCELLED") return orders;
  if (order.status === status && order.isConfirmed) return orders;
  return orders.map((it) => (it === order ? { ...it, status, isConfirmed: true } : it));
}
