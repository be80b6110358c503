import { useQueries } from "@tanstack/react-query";
import * as v from "valibot";
import { orderStatusSchema } from "@/api/schemas";
import { request } from "@/lib/http/request";

const statusSchema = v.object({ status: orderStatusSchema });

const getOrderStatus = (orderId: string, signal: AbortSignal) =>
  request(`/api/orders/${encodeURIComponent(orderId)}`, { schema: statusSchema, signal });

/** How far these orders are: asked once, and again when the reader comes back to the page. */
export const useOrderStatuses = (orderIds: readonly string[]) =>
  useQueries({
    queries: orderIds.map((orderId) => ({
      queryKey: ["order-status", orderId],
      queryFn: ({ signal }: { signal: AbortSignal }) => getOrderStatus(orderId, signal),
      staleTime: 0,
      refetchOnWindowFocus: "always" as const,
    })),
  });
