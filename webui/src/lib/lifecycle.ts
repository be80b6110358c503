function listen(target: EventTarget, event: string, listener: (event: Event) => void): () => void {
  target.addEventListener(event, listener);
  return () => target.removeEventListener(event, listener);
}

/**
 * Calls `listener` when the page continues after it may have been suspended: it becomes visible again, comes out of the browser's
 * back/forward cache, or is no longer frozen. Connections may have died meanwhile.
 */
export function onWake(listener: () => void): () => void {
  const stops = [
    listen(document, "visibilitychange", () => {
      if (document.visibilityState === "visible") listener();
    }),
    listen(window, "pageshow", (event) => {
      if ((event as PageTransitionEvent).persisted) listener();
    }),
    listen(document, "resume", listener),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Calls `listener` when the device is online again, possibly in another network: earlier connections are dead then. */
export const onNetworkChange = (listener: () => void): (() => void) => listen(window, "online", listener);
