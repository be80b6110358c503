import { useEffect, useState } from "react";

/** A browser opens only six connections to a host, and every tab counts: a tab nobody has looked at for this long lets go. */
const HIDDEN_LIMIT_MS = 60_000;

/** Whether someone looks at the page, or has done so within the last minute. */
export function useIsWatched(): boolean {
  const [isWatched, setIsWatched] = useState(true);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      clearTimeout(timer);
      if (document.visibilityState === "visible") setIsWatched(true);
      else timer = setTimeout(() => setIsWatched(false), HIDDEN_LIMIT_MS);
    };
    document.addEventListener("visibilitychange", look);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);
  return isWatched;
}
