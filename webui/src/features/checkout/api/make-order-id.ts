import * as v from "valibot";
import { request } from "@/lib/http/request";

const ticketSchema = v.object({
  orderId: v.pipe(v.string(), v.minLength(1)),
  /** The key for reading and cancelling the order; missing if the gateway issues no keys. */
  key: v.fallback(v.nullable(v.string()), null),
});

/** An order's id and key. */
export type Ticket = v.InferOutput<typeof ticketSchema>;

/** Asks for an id for a future order. This orders nothing. */
export const makeOrderId = (signal: AbortSignal): Promise<Ticket> =>
  request("/api/order-ids", { method: "POST", schema: ticketSchema, signal });
