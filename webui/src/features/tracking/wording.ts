import type { IconName } from "@/components/ui/icon";
import { type Cents, formatCents } from "@/lib/money";
import type { OrderStatus } from "@/types/order";
import { type Progress, wasCharged } from "./progress";

/** The name of a step in the timeline. */
export const STEP_TITLES: Record<OrderStatus, string> = {
  NEW: "Sent",
  CREATED: "Order received",
  SCHEDULED: "Paid",
  IN_PREPARATION: "In the kitchen",
  SCHEDULING_DELIVERY: "Cooked, finding a driver",
  WAITING_FOR_DRIVER: "Driver on the way to the restaurant",
  IN_DELIVERY: "On its way to you",
  DELIVERED: "Delivered",
  REJECTED: "Rejected",
  CANCELLED: "Cancelled",
  UNKNOWN: "Unknown status",
};

export const STEP_ICONS: Record<OrderStatus, IconName> = {
  NEW: "receipt",
  CREATED: "receipt",
  SCHEDULED: "wallet",
  IN_PREPARATION: "pan",
  SCHEDULING_DELIVERY: "search_driver",
  WAITING_FOR_DRIVER: "scooter",
  IN_DELIVERY: "scooter",
  DELIVERED: "home",
  REJECTED: "close",
  CANCELLED: "close",
  UNKNOWN: "clock",
};

/** The state of the order in a few words. */
export function headlineOf(status: OrderStatus, restaurant: string): string {
  switch (status) {
    case "NEW":
      return "Your order is on its way to the kitchen";
    case "CREATED":
      return "Got it! Taking the payment";
    case "SCHEDULED":
      return "Paid and scheduled";
    case "IN_PREPARATION":
      return `${restaurant} is cooking`;
    case "SCHEDULING_DELIVERY":
      return "Cooked! Finding you a driver";
    case "WAITING_FOR_DRIVER":
      return "A driver is fetching your food";
    case "IN_DELIVERY":
      return "Your food is on its way";
    case "DELIVERED":
      return "Delivered. Enjoy!";
    case "REJECTED":
      return "Your order was rejected";
    case "CANCELLED":
      return "Your order was cancelled";
    case "UNKNOWN":
      return "Your order is in progress";
  }
}

/** What happens to the money of an order that was rejected or cancelled. */
export function moneyBack(progress: Progress, total: Cents | null): string {
  if (!wasCharged(progress)) return "You have not been charged.";
  return total === null
    ? "Everything you paid goes back to your card."
    : `The ${formatCents(total)} you paid goes back to your card.`;
}

/** A reason as a sentence: `the payment was declined` as `The payment was declined.` */
export function sentence(reason: string): string {
  const text = reason.trim();
  if (text === "") return "";
  const end = /[.!?…]$/.test(text) ? "" : ".";
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${end}`;
}
