import { isJson } from "./http/media-type";

/** Whether the gateway can be reached. While it cannot, this keeps asking by itself. */
export interface Connectivity {
  get(): Reachability;
  subscribe(listener: () => void): () => void;
  /** A request got no answer: asks the gateway at once. Without an answer the gateway counts as gone. */
  reportGone(): void;
  /** A request got an answer. */
  reportHere(): void;
  /** Asks now instead of waiting. */
  tryNow(): void;
  /** Calls `listener` each time the gateway is back after it was gone. */
  onBack(listener: () => void): () => void;
  /** Calls `listener` each time the gateway has answered a check, whether it was gone or only in doubt. */
  onAnswer(listener: () => void): () => void;
}

export type Reachability =
  | { here: true }
  | {
      here: false;
      /** When the next check is, on the monotonic clock (`performance.now()`); `null` during a check. */
      nextTryAt: number | null;
    };

const HERE: Reachability = { here: true };
/** The waits before each check, in ms; the last one is repeated. */
const DELAYS = [1_000, 1_000, 2_000, 3_000, 5_000];

export interface ConnectivityOptions {
  /** Resolves if the gateway answers, rejects if not. */
  probe: () => Promise<void>;
  now?: () => number;
}

export function createConnectivity({
  probe,
  now = () => performance.now(),
}: ConnectivityOptions): Connectivity {
  const listeners = new Set<() => void>();
  const backListeners = new Set<() => void>();
  const answerListeners = new Set<() => void>();
  let state: Reachability = HERE;
  let tries = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAsking = false;
  /** Another request has got an answer since the last check began. */
  let isHeard = false;

  function set(next: Reachability): void {
    state = next;
    for (const listener of listeners) listener();
  }

  function wait(): void {
    clearTimeout(timer);
    const delay = DELAYS[Math.min(tries, DELAYS.length - 1)] ?? 0;
    tries += 1;
    timer = setTimeout(ask, delay);
    set({ here: false, nextTryAt: now() + delay });
  }

  function ask(): void {
    if (isAsking) return;
    clearTimeout(timer);
    isAsking = true;
    isHeard = false;
    if (!state.here) set({ here: false, nextTryAt: null });
    probe().then(
      () => {
        isAsking = false;
        back();
        for (const listener of answerListeners) listener();
      },
      () => {
        isAsking = false;
        if (!isHeard) wait();
      },
    );
  }

  function back(): void {
    isHeard = true;
    if (state.here) return;
    clearTimeout(timer);
    tries = 0;
    set(HERE);
    for (const listener of backListeners) listener();
  }

  const subscribeTo = (to: Set<() => void>) => (listener: () => void) => {
    to.add(listener);
    return () => void to.delete(listener);
  };

  return {
    get: () => state,
    subscribe: subscribeTo(listeners),
    reportGone() {
      if (state.here) ask();
    },
    reportHere: back,
    tryNow() {
      if (!state.here) ask();
    },
    onBack: subscribeTo(backListeners),
    onAnswer: subscribeTo(answerListeners),
  };
}

const PROBE_WITHIN_MS = 4_000;
/** `/health` depends on nothing behind the gateway: a later answer may never arrive over this connection. */
const SILENT_AFTER_MS = 1_000;
/** Browsers keep up to six HTTP/1.1 connections to a host, and reuse idle ones. */
const CONNECTIONS = 6;

/**
 * Asks the gateway for its health; rejects if it does not confirm it.
 *
 * The browser may use an idle connection that has died without a trace. So if there is no answer, the request is sent over all
 * connections at once, at least one of them new. Requests without an answer by then are aborted, which closes their connections,
 * so later requests do not use the dead ones.
 */
export async function askHealth(ask: typeof fetch = (...args) => fetch(...args)): Promise<void> {
  const answered = new AbortController();
  const signal = AbortSignal.any([AbortSignal.timeout(PROBE_WITHIN_MS), answered.signal]);
  const probe = async () => {
    const response = await ask("/health", { cache: "no-store", redirect: "error", signal });
    if (!response.ok || !isJson(response.headers)) throw new Error(`health: ${response.status}`);
    await response.text();
  };
  try {
    const first = probe();
    const isSilent = await Promise.race([
      first.then(() => false),
      new Promise<boolean>((resolve) => setTimeout(resolve, SILENT_AFTER_MS, true)),
    ]);
    if (isSilent) await Promise.any([first, ...Array.from({ length: CONNECTIONS - 1 }, probe)]);
  } finally {
    answered.abort();
  }
}

/** Whether the gateway that served this page can be reached. */
export const connectivity = createConnectivity({ probe: askHealth });
