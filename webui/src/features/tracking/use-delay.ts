import { useEffect, useState } from "react";
import { serverClock } from "@/lib/server-clock";
import { isTerminal } from "@/types/order";
import { delayOf } from "./delay";
import type { Progress } from "./progress";

/**
 * Why the order is delayed, if it is; see {@link delayOf}. `null` for an order without recent news: it may have moved on, or
 * arrived, meanwhile.
 */
export function useDelay(progress: Progress, beginsAt: number | null, isOutOfTouch: boolean): string | null {
  const [delay, setDelay] = useState<string | null>(null);
  const [seenAt] = useState(() => serverClock.now());
  useEffect(() => {
    if (isOutOfTouch) {
      setDelay(null);
      return;
    }
    const look = () => setDelay(delayOf(progress, { beginsAt, seenAt, now: serverClock.now() }));
    look();
    if (isTerminal(progress.status)) return;
    const timer = setInterval(look, 1_000);
    return () => clearInterval(timer);
  }, [progress, beginsAt, seenAt, isOutOfTouch]);
  return isOutOfTouch ? null : delay;
}
