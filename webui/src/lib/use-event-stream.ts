import { useEffect, useEffectEvent, useState } from "react";
import { connectivity } from "./connectivity";
import { onNetworkChange, onWake } from "./lifecycle";
import { openEventStream, type StreamState } from "./sse/event-stream";
import type { ServerSentEvent } from "./sse/parser";
import { useIsWatched } from "./use-is-watched";

export interface UseEventStreamOptions {
  onEvent: (event: ServerSentEvent) => void;
  /** Whether the client has everything up to now. */
  onHeard?: () => void;
  /** Whether more may follow. */
  enabled?: boolean;
  token?: string | null;
  orderKey?: string | null;
  /** Reconnect after any answer, even if the gateway says that it does not exist. */
  isStubborn?: boolean;
}

/** Follows a stream of server-sent events while the component is mounted and the page is watched. */
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
