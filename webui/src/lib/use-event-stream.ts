import { useEffect, useEffectEvent, useState } from "react";
import { connectivity } from "./connectivity";
import { openEventStream, type StreamState } from "./sse/event-stream";
import type { ServerSentEvent } from "./sse/parser";

/** A browser opens only six connections to a host, and every tab counts: a tab nobody has looked at for this long lets go. */
const HIDDEN_LIMIT_MS = 60_000;

export interface UseEventStreamOptions {
  onEvent: (event: ServerSentEvent) => void;
  /** Whether anything is still to come. */
  enabled?: boolean;
  token?: string | null;
  orderKey?: string | null;
  /** Come back after any answer, also after one that says that there is no such thing. */
  isStubborn?: boolean;
}

/** Follows a stream of server-sent events for as long as the component lives, and someone looks at it. */
export function useEventStream(url: string, options: UseEventStreamOptions): StreamState {
  const { enabled = true, token = null, orderKey = null, isStubborn = false } = options;
  const [state, setState] = useState<StreamState>({ phase: "connecting" });
  const onEvent = useEffectEvent(options.onEvent);
  const isWatched = useIsWatched();

  useEffect(() => {
    if (!enabled || !isWatched) return;
    const stream = openEventStream(url, {
      token,
      orderKey,
      isStubborn,
      onEvent: (event) => onEvent(event),
      onState: (next) => {
        setState(next);
        if (next.phase === "waiting" && !next.isAnswered) connectivity.reportGone();
        if (next.phase === "live") connectivity.reportHere();
      },
    });
    const stopListening = connectivity.onBack(() => stream.retryNow());
    return () => {
      stopListening();
      stream.close();
    };
  }, [url, enabled, token, orderKey, isStubborn, isWatched]);

  return state;
}

function useIsWatched(): boolean {
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
