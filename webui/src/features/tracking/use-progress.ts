import { useEffect, useState } from "react";
import { useEventStream } from "@/lib/use-event-stream";

import { useOrder } from "./api/get-order";
import { orderEventsUrl, readOrderEvent } from "./api/order-events";
import { advance, type Progress } from "./progress";

/** An order, followed while it happens. */
export function useProgress(orderId: string, orderKey: string | null, isExpected: boolean) {
  const order = useOrder(orderId, orderKey, isExpected);
  const [progress, setProgress] = useState<Progress | null>(null);
  const isOver = progress?.isOver ?? false;

  const stream = useEventStream(orderEventsUrl(orderId), {
    // Who does not exist has no events; who does exist has some, even if a gateway that has just started does not know it yet.
    enabled: order.isSuccess && !isOver,
    isStubborn: true,
    orderKey,
    onEvent: (received) => {
      const event = readOrderEvent(received);
      if (event) setProgress((current) => advance(current, event));
    },
  });

  const { data, refetch } = order;
  useEffect(() => {
    if (data) setProgress((current) => advance(current, { type: "snapshot", snapshot: data }));
  }, [data]);

  // The details of an order are known from its first step on, and a missed change is made up for by the whole.
  const isIncomplete =
    progress !== null &&
    data !== undefined &&
    (progress.hasGap || (!data.order && data.version < progress.version));
  useEffect(() => {
    if (isIncomplete) void refetch();
  }, [isIncomplete, refetch]);

  return { order, progress, stream };
}
