import * as v from "valibot";
import { request } from "@/lib/http/request";

const ticketSchema = v.object({
  orderId: v.pipe(v.string(), v.minLength(1)),
  /** By it the order can be read and cancelled; missing where the gateway gives no keys. */
  key: v.fallback(v.nullable(v.string()), null),
});

/** An order's id, and the key to it. */
export type Ticket = v.InferOutput<typeof ticketSchema>;

/** Asks for an id for an order to come. Nothing is ordered by that. */
export const makeOrderId = (signal: AbortSignal): Promise<Ticket> =>
  request("/api/order-ids", { method: "POST", schema: ticketSchema, signal });
