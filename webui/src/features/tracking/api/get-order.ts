import { useQuery } from "@tanstack/react-query";
import * as v from "valibot";
import { lonLatSchema, moneySchema, orderStatusSchema, timeSchema } from "@/api/schemas";
import { isNotFound, isTransient } from "@/lib/http/problem";
import { request } from "@/lib/http/request";
import { serverClock } from "@/lib/server-clock";

const historySchema = v.array(
  v.object({
    status: orderStatusSchema,
    at: timeSchema,
    version: v.number(),
    reason: v.nullish(v.string()),
  }),
);

/** The status of an order: the answer to a GET, and the `snapshot` of its events. */
export const snapshotSchema = v.object({
  orderId: v.string(),
  status: orderStatusSchema,
  eta: v.nullish(timeSchema),
  version: v.number(),
  reason: v.nullish(v.string()),
  driverId: v.nullish(v.string()),
  delayed: v.optional(v.boolean()),
  history: historySchema,
  /** The server's time. */
  now: v.optional(timeSchema),
});

const detailsSchema = v.object({
  restaurantId: v.string(),
  products: v.array(v.object({ productId: v.string(), description: v.string(), quantity: v.number() })),
  totalCost: moneySchema,
  deliveryDelay: v.nullish(v.number()),
  restaurantLocation: v.nullish(lonLatSchema),
  customerLocation: v.nullish(lonLatSchema),
});

const orderSchema = v.object({
  ...snapshotSchema.entries,
  /** Missing once the details of an ended order have been deleted. */
  order: v.nullish(detailsSchema),
});

export type Snapshot = v.InferOutput<typeof snapshotSchema>;
export type OrderDetails = v.InferOutput<typeof detailsSchema>;

async function getOrder(orderId: string, orderKey: string | null, signal: AbortSignal) {
  const path = `/api/orders/${encodeURIComponent(orderId)}`;
  const order = await request(path, { schema: orderSchema, signal, orderKey });
  if (order.now !== undefined) serverClock.observe(order.now);
  return order;
}

/** How often to ask again, once a second, for a new order that is not known yet. */
const PATIENCE = 60;

/**
 * The current state of an order; changes arrive as events.
 *
 * @param orderKey the key for reading this order
 * @param isExpected whether the order was placed here a moment ago, so that it may take a moment to appear
 */
export const useOrder = (orderId: string, orderKey: string | null, isExpected: boolean) =>
  useQuery({
    queryKey: ["order", orderId, orderKey],
    queryFn: ({ signal }) => getOrder(orderId, orderKey, signal),
    staleTime: Number.POSITIVE_INFINITY,
    retry: (failures, error) =>
      isTransient(error) || (isExpected && isNotFound(error) && failures < PATIENCE),
    retryDelay: (failures, error) => (isNotFound(error) ? 1_000 : Math.min(500 * 2 ** failures, 8_000)),
  });
