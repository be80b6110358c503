import { useEffect, useEffectEvent, useState } from "react";
import { connectivity } from "./connectivity";
import { onNetworkChange, onWake } from "./lifecycle";
import { openEventStream, type StreamState } from "./sse/event-stream";
import type { ServerSentEvent } from "./sse/parser";
import { useIsWatched } from "./use-is-watched";

export interface UseEventStreamOptions {
  onEvent: (event: ServerSentEvent) => void;
  /** All that has happened until now has been told. */
  onHeard?: () => void;
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
  const onHeard = useEffectEvent(() => options.onHeard?.());
  const isWatched = useIsWatched();

  useEffect(() => {
    if (!enabled || !isWatched) return;
    const stream = openEventStream(url, {
      token,
      orderKey,
      isStubborn,
      onEvent: (event) => onEvent(event),
      onHeard: () => onHeard(),
      onQuiet: connectivity.reportGone,
      onState: (next) => {
        setState(next);
        if (next.phase === "waiting" && !next.isAnswered) connectivity.reportGone();
        if (next.phase === "live") connectivity.reportHere();
      },
    });
    const stopListening = [
      connectivity.onBack(stream.retryNow),
      connectivity.onAnswer(stream.replaceIfQuiet),
      onWake(stream.retryNow),
      onNetworkChange(stream.reconnect),
    ];
    return () => {
      for (const stop of stopListening) stop();
      stream.close();
    };
  }, [url, enabled, token, orderKey, isStubborn, isWatched]);

  return state;
}
