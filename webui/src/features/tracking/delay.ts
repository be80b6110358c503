import { formatClock } from "@/lib/format";
import type { OrderStatus } from "@/types/order";
import type { Progress } from "./progress";

const SECOND = 1_000;
/** How long an order may be in a stage before its customer is told that this is a delay, in ms. */
const PATIENCE: Partial<Record<OrderStatus, number>> = {
  NEW: 15 * SECOND,
  CREATED: 15 * SECOND,
  // From when the kitchen is to begin.
  SCHEDULED: 15 * SECOND,
  IN_PREPARATION: 60 * SECOND,
  SCHEDULING_DELIVERY: 30 * SECOND,
};
/** How late a driver may be before that is said, in ms. */
const LATE = 15 * SECOND;

/**
 * What holds the order up, in words, and what that means for the customer; `null` while it keeps to plan.
 *
 * `beginsAt` is when the kitchen is to begin, `null` if nobody knows; `seenAt` is since when someone looks at the order, which
 * is all that is known of the age of one that nobody has begun with. All times are the server's, in ms.
 */
export function delayOf(
  progress: Progress,
  { beginsAt, seenAt, now }: { beginsAt: number | null; seenAt: number; now: number },
): string | null {
  const { status, eta, isDelayed } = progress;
  if (isDelayed && status === "WAITING_FOR_DRIVER")
    return "We have lost touch with your driver and are looking for another one.";
  if (isDelayed && status === "IN_DELIVERY")
    return "Your driver has your food, but we have not heard from them for a while. We tell you as soon as we do.";
  if (status === "WAITING_FOR_DRIVER" || status === "IN_DELIVERY") {
    return eta !== null && now - eta > LATE
      ? `Your driver is late: you could expect your food at ${formatClock(eta)}.`
      : null;
  }
  const patience = PATIENCE[status];
  const entered = progress.history.find((entry) => entry.status === status)?.at ?? null;
  const since = status === "SCHEDULED" ? beginsAt : status === "NEW" ? seenAt : entered;
  if (patience === undefined || since === null || now - since <= patience) return null;
  return REASONS[status] ?? null;
}

const IF_NOT = "If that does not change, the order is cancelled and costs you nothing.";
const REASONS: Partial<Record<OrderStatus, string>> = {
  NEW: "It takes us longer than usual to begin with your order. It is kept, and nothing is charged yet.",
  CREATED: `The payment takes longer than usual. We keep trying, and charge you once. ${IF_NOT}`,
  SCHEDULED: `The restaurant does not answer yet. We keep asking. ${IF_NOT}`,
  IN_PREPARATION: `The kitchen takes longer than usual. ${IF_NOT}`,
  SCHEDULING_DELIVERY: `All drivers are busy. The next one is yours as soon as it is your turn. ${IF_NOT}`,
};
