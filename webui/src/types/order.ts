/** The stages of an order, in the order in which it passes them; the names are those in JSON. */
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

/** Whether no other status follows. */
export const isTerminal = (status: OrderStatus): boolean => TERMINAL.includes(status);

/** Whether the customer can still cancel it: a driver who has the food delivers it. */
export const isCancellable = (status: OrderStatus): boolean => CANCELLABLE.includes(status);

/** Parses a status; one of a newer version of the system is `UNKNOWN`. */
export const toOrderStatus = (name: string): OrderStatus =>
  ORDER_STATUSES.find((status) => status === name) ?? "UNKNOWN";

/** The name of a status in a list. */
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
