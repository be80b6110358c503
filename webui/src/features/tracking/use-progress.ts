import { useEffect, useState } from "react";
import { connectivity } from "@/lib/connectivity";
import { QUIET_AFTER_MS } from "@/lib/sse/event-stream";
import { useEventStream } from "@/lib/use-event-stream";
import { useIsWatched } from "@/lib/use-is-watched";
import { useLastWord } from "@/lib/use-last-word";
import { useOrder } from "./api/get-order";
import { orderEventsUrl, readOrderEvent } from "./api/order-events";
import { advance, type Progress } from "./progress";

/** How often to request an order again while something about it is missing. */
const ASK_AGAIN_MS = 1_000;

/** An order, followed live. */
export function useProgress(orderId: string, orderKey: string | null, isExpected: boolean) {
  const order = useOrder(orderId, orderKey, isExpected);
  const [progress, setProgress] = useState<Progress | null>(null);
  const [lastWord, heard] = useLastWord(QUIET_AFTER_MS);
  const isWatched = useIsWatched();
  const isOver = progress?.isOver ?? false;

  const stream = useEventStream(orderEventsUrl(orderId), {
    // An unknown order has no events. A known one has, even if a gateway that has just started does not know it yet.
    enabled: order.isSuccess && !isOver,
    isStubborn: true,
    orderKey,
    onHeard: heard,
    onEvent: (received) => {
      const event = readOrderEvent(received);
      if (event) setProgress((current) => advance(current, event));
    },
  });

  const { data, dataUpdatedAt, refetch } = order;
  useEffect(() => {
    if (data) setProgress((current) => advance(current, { type: "snapshot", snapshot: data }));
  }, [data]);
  useEffect(() => {
    if (dataUpdatedAt > 0) heard();
  }, [dataUpdatedAt, heard]);

  // Whatever keeps the events away (a dead connection, a buffering proxy, a gateway with too many watchers), a separate request
  // may get through.
  const isInDoubt = isWatched && !isOver && lastWord?.isRecent === false;
  useEffect(() => {
    if (!isInDoubt) return;
    connectivity.reportGone();
    void refetch();
  }, [isInDoubt, refetch]);

  // An order's details are known from its first step on, and the whole order makes up for a missed change.
  const isIncomplete =
    progress !== null &&
    data !== undefined &&
    (progress.hasGap || (!data.order && data.version < progress.version));
  useEffect(() => {
    if (!isIncomplete) return;
    void refetch();
    // The answer may be older than the event that made the request necessary.
    const timer = setInterval(() => void refetch(), ASK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [isIncomplete, refetch]);

  return {
    order,
    progress,
    /** Since when nothing has been heard of the order; `null` if `progress` is up to date. */
    outOfTouchSince: lastWord?.isRecent === false && !isOver ? lastWord.at : null,
    isLive: stream.phase === "live" && lastWord?.isRecent === true,
  };
}
