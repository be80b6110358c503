import * as v from "valibot";
import { request } from "@/lib/http/request";
import type { LonLat } from "@/types/geo";

export interface NewOrder {
  orderId: string;
  restaurantId: string;
  products: Array<{ productId: string; description: string; quantity: number }>;
  /** In dollars. */
  totalCost: number;
  /** How long to wait before the preparation starts, in ms. */
  deliveryDelay: number;
  customerLocation: LonLat;
}

const acceptedSchema = v.object({ orderId: v.string() });

/** Places an order. Safe to repeat: of several orders with the same id, only the first counts. */
export const placeOrder = (order: NewOrder, orderKey: string | null, signal: AbortSignal) =>
  request("/api/orders", { method: "POST", body: order, schema: acceptedSchema, signal, orderKey });
