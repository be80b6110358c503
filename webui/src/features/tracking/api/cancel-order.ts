import { useMutation } from "@tanstack/react-query";
import * as v from "valibot";
import { orderStatusSchema } from "@/api/schemas";
import { request } from "@/lib/http/request";

const cancellationSchema = v.object({ accepted: v.boolean(), status: orderStatusSchema });

const cancelOrder = (orderId: string, orderKey: string | null) =>
  request(`/api/orders/${encodeURIComponent(orderId)}/cancel`, {
    method: "POST",
    schema: cancellationSchema,
    orderKey,
  });

/** Cancels an order. Safe to repeat. */
export const useCancelOrder = (orderId: string, orderKey: string | null) =>
  useMutation({ mutationFn: () => cancelOrder(orderId, orderKey) });
