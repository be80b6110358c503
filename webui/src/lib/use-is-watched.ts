import { useEffect, useState } from "react";

/** A browser opens only six connections to a host, shared by all tabs: a tab that has been hidden for this long closes its own. */
const HIDDEN_LIMIT_MS = 60_000;

/** Whether the page is visible, or was within the last minute. */
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
