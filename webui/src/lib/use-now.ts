import { useEffect, useState } from "react";
import { serverClock } from "./server-clock";

/** The server's time in ms, updated every full second while `isRunning`. */
export function useNow(isRunning = true): number {
  const [now, setNow] = useState(() => serverClock.now());
  useEffect(() => {
    if (!isRunning) return;
    let timer: ReturnType<typeof setTimeout>;
    const tick = () => {
      const time = serverClock.now();
      setNow(time);
      timer = setTimeout(tick, 1000 - (time % 1000));
    };
    tick();
    return () => clearTimeout(timer);
  }, [isRunning]);
  return now;
}
