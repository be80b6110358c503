import { useCallback, useEffect, useRef, useState } from "react";
import { serverClock } from "./server-clock";
import { startStopwatch } from "./stopwatch";

const LOOK_EVERY_MS = 1_000;

export interface LastWord {
  /** Whether the last news is recent. */
  isRecent: boolean;
  /** When it arrived, in the server's ms; while it is recent, when the first of the recent news arrived. */
  at: number;
}

/**
 * When there was news last, and whether that is no longer ago than `limitMs`; and the function to call when there is news. `null`
 * until then.
 */
export function useLastWord(limitMs: number): [LastWord | null, () => void] {
  const [lastWord, setLastWord] = useState<LastWord | null>(null);
  const last = useRef<{ age: () => number; at: number } | null>(null);

  const heard = useCallback(() => {
    const at = serverClock.now();
    last.current = { age: startStopwatch(), at };
    setLastWord((shown) => (shown?.isRecent ? shown : { isRecent: true, at }));
  }, []);

  useEffect(() => {
    const timer = setInterval(() => {
      if (last.current === null || last.current.age() <= limitMs) return;
      const { at } = last.current;
      setLastWord((shown) => (shown?.isRecent ? { isRecent: false, at } : shown));
    }, LOOK_EVERY_MS);
    return () => clearInterval(timer);
  }, [limitMs]);

  return [lastWord, heard];
}
