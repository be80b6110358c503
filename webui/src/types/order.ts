/** The stages of an order, in the order of its life; the names are those on the wire. */
export const ORDER_STATUSES = [
  "NEW",
  "CREATED",
  "SCHEDULED",
  "IN_PREPARATION",
  "SCHEDULING_DELIVERY",
  "WAITING_FOR_DRIVER",
  "IN_DELIVERY",
  "DELIVERED",
  "REJECTED",
  "CANCELLED",
  "UNKNOWN",
] as const;

export type OrderStatus = (typeof ORDER_STATUSES)[number];

const TERMINAL: readonly OrderStatus[] = ["DELIVERED", "REJECTED", "CANCELLED"];
const CANCELLABLE: readonly OrderStatus[] = [
  "CREATED",
  "SCHEDULED",
  "IN_PREPARATION",
  "SCHEDULING_DELIVERY",
  "WAITING_FOR_DRIVER",
];

/** Whether nothing follows any more. */
export const isTerminal = (status: OrderStatus): boolean => TERMINAL.includes(status);

/** Whether the customer can still call it off: who has the food already, delivers it. */
export const isCancellable = (status: OrderStatus): boolean => CANCELLABLE.includes(status);

/** Reads a status; one of a newer version of the system is `UNKNOWN`. */
export const toOrderStatus = (name: string): OrderStatus =>
  ORDER_STATUSES.find((status) => status === name) ?? "UNKNOWN";

/** What a status is called in a list. */
export const STATUS_LABELS: Record<OrderStatus, string> = {
  NEW: "Sent",
  CREATED: "Received",
  SCHEDULED: "Paid",
  IN_PREPARATION: "In the kitchen",
  SCHEDULING_DELIVERY: "Finding a driver",
  WAITING_FOR_DRIVER: "Driver to restaurant",
  IN_DELIVERY: "On its way",
  DELIVERED: "Delivered",
  REJECTED: "Rejected",
  CANCELLED: "Cancelled",
  UNKNOWN: "Unknown",
};
