import { useQueries } from "@tanstack/react-query";
import * as v from "valibot";
import { orderStatusSchema } from "@/api/schemas";
import { request } from "@/lib/http/request";

const statusSchema = v.object({ status: orderStatusSchema });

interface Ticket {
  orderId: string;
  key: string | null;
}

const getOrderStatus = ({ orderId, key }: Ticket, signal: AbortSignal) =>
  request(`/api/orders/${encodeURIComponent(orderId)}`, { schema: statusSchema, signal, orderKey: key });

/** The status of these orders: requested once, and again when the visitor returns to the page. */
export const useOrderStatuses = (orders: readonly Ticket[]) =>
  useQueries({
    queries: orders.map((order) => ({
      queryKey: ["order-status", order.orderId],
      queryFn: ({ signal }: { signal: AbortSignal }) => getOrderStatus(order, signal),
      staleTime: 0,
      refetchOnWindowFocus: "always" as const,
    })),
  });
