/** Whether the gateway can be reached. While it cannot, this asks again and again by itself. */
export interface Connectivity {
  get(): Reachability;
  subscribe(listener: () => void): () => void;
  /** Someone got no answer. */
  reportGone(): void;
  /** Someone got an answer. */
  reportHere(): void;
  /** Ask now, do not wait. */
  tryNow(): void;
  /** Calls `listener` each time the gateway is back. */
  onBack(listener: () => void): () => void;
}

export type Reachability =
  | { here: true }
  | {
      here: false;
      /** When it will be asked next, on the monotonic clock (`performance.now()`); `null` while it is being asked. */
      nextTryAt: number | null;
    };

const HERE: Reachability = { here: true };
/** How long to wait before each try, in ms; the last one stays. */
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
  let state: Reachability = HERE;
  let tries = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

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
    clearTimeout(timer);
    set({ here: false, nextTryAt: null });
    probe().then(back, () => {
      if (!state.here) wait();
    });
  }

  function back(): void {
    if (state.here) return;
    clearTimeout(timer);
    tries = 0;
    set(HERE);
    for (const listener of backListeners) listener();
  }

  return {
    get: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    reportGone() {
      if (state.here) wait();
    },
    reportHere: back,
    tryNow() {
      if (!state.here && state.nextTryAt !== null) ask();
    },
    onBack(listener) {
      backListeners.add(listener);
      return () => backListeners.delete(listener);
    },
  };
}

const PROBE_WITHIN_MS = 4_000;

async function askHealth(): Promise<void> {
  const response = await fetch("/health", {
    cache: "no-store",
    signal: AbortSignal.timeout(PROBE_WITHIN_MS),
  });
  if (!response.ok) throw new Error(`health: ${response.status}`);
}

/** Whether the gateway that served this page can be reached. */
export const connectivity = createConnectivity({ probe: askHealth });
