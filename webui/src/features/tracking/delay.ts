import { formatClock } from "@/lib/format";
import type { OrderStatus } from "@/types/order";
import type { Progress } from "./progress";

const SECOND = 1_000;
/** How long an order may be in a stage before its customer is told of a delay, in ms. */
const PATIENCE: Partial<Record<OrderStatus, number>> = {
  NEW: 15 * SECOND,
  CREATED: 15 * SECOND,
  // From when the kitchen should start.
  SCHEDULED: 15 * SECOND,
  IN_PREPARATION: 60 * SECOND,
  SCHEDULING_DELIVERY: 30 * SECOND,
};
/** How late a driver may be before the customer is told, in ms. */
const LATE = 15 * SECOND;

/**
 * Why the order is delayed, and what that means for the customer; `null` if it is on time.
 *
 * `beginsAt` is when the kitchen should start, `null` if unknown; `seenAt` is since when the visitor has been looking at the
 * order, which is all that is known of the age of an order whose processing has not started. All times are the server's, in ms.
 */
export function delayOf(
  progress: Progress,
  { beginsAt, seenAt, now }: { beginsAt: number | null; seenAt: number; now: number },
): string | null {
  const { status, eta, isDelayed } = progress;
  if (isDelayed && status === "WAITING_FOR_DRIVER")
    return "We have lost touch with your driver and are looking for another one.";
  if (isDelayed && status === "IN_DELIVERY")
    return "Your driver has your food, but we have not heard from them for a while. We will tell you as soon as we do.";
  if (status === "WAITING_FOR_DRIVER" || status === "IN_DELIVERY") {
    return eta !== null && now - eta > LATE
      ? `Your driver is late: your food was expected at ${formatClock(eta)}.`
      : null;
  }
  const patience = PATIENCE[status];
  const entered = progress.history.find((entry) => entry.status === status)?.at ?? null;
  const since = status === "SCHEDULED" ? beginsAt : status === "NEW" ? seenAt : entered;
  if (patience === undefined || since === null || now - since <= patience) return null;
  return REASONS[status] ?? null;
}

const IF_NOT = "If that does not change, your order will be cancelled at no cost to you.";
const REASONS: Partial<Record<OrderStatus, string>> = {
  NEW: "Starting your order is taking longer than usual. It is stored, and nothing has been charged yet.",
  CREATED: `The payment is taking longer than usual. We will keep trying, and charge you only once. ${IF_NOT}`,
  SCHEDULED: `The restaurant is not answering yet. We will keep asking. ${IF_NOT}`,
  IN_PREPARATION: `The kitchen is taking longer than usual. ${IF_NOT}`,
  SCHEDULING_DELIVERY: `All drivers are busy. You will get one when it is your turn. ${IF_NOT}`,
};
