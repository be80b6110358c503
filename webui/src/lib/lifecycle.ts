function listen(target: EventTarget, event: string, listener: (event: Event) => void): () => void {
  target.addEventListener(event, listener);
  return () => target.removeEventListener(event, listener);
}

/**
 * Calls `listener` when the page goes on after it may have stood still: it is looked at again, comes out of the browser's
 * cache of pages (bfcache), or is thawed after it was frozen. Connections may have died meanwhile.
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

/** Calls `listener` when the device has a network again, which may be another one: connections of before are dead then. */
export const onNetworkChange = (listener: () => void): (() => void) => listen(window, "online", listener);
