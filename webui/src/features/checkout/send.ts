import { ApiError, isTransient } from "@/lib/http/problem";

/** What becomes of an order while it is sent. */
export type SendState =
  | { phase: "sending" }
  /** It is not known whether the order was taken; it is sent again at `retryAt` (as of `now`). */
  | { phase: "waiting"; tries: number; retryAt: number; message: string };

export interface SendOptions {
  /** Sends the order once. */
  send: (signal: AbortSignal) => Promise<unknown>;
  signal: AbortSignal;
  onState: (state: SendState) => void;
  /** Calls back when the gateway is back, so that the wait can be cut short. */
  onBack: (listener: () => void) => () => void;
  now?: () => number;
}

const LONGEST_DELAY_MS = 8_000;
/** A fault of the gateway may pass, but is no reason to try for ever. */
const TRIES_AFTER_FAULT = 3;

/**
 * Sends an order until there is a yes or a no. While nobody answers, or nobody can say whether the order was taken, it is sent
 * again; resolves with the yes, rejects with the no or when `signal` is aborted.
 */
export async function sendUntilAnswered(options: SendOptions): Promise<void> {
  const { send, signal, onState, onBack, now = () => performance.now() } = options;
  for (let tries = 1; ; tries++) {
    signal.throwIfAborted();
    onState({ phase: "sending" });
    try {
      await send(signal);
      return;
    } catch (error) {
      signal.throwIfAborted();
      const isFault = error instanceof ApiError && error.problem.status === 500;
      if (!isTransient(error) && !(isFault && tries < TRIES_AFTER_FAULT)) throw error;
      const asked = error instanceof ApiError ? error.problem.retryAfterMs : null;
      const delay = asked ?? Math.min(1_000 * 2 ** (tries - 1), LONGEST_DELAY_MS);
      onState({ phase: "waiting", tries, retryAt: now() + delay, message: messageOf(error) });
      await pause(delay, signal, onBack);
    }
  }
}

function messageOf(error: unknown): string {
  if (error instanceof ApiError) return "The counter cannot confirm orders right now.";
  return "The counter does not answer.";
}

function pause(ms: number, signal: AbortSignal, onBack: SendOptions["onBack"]): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      stop();
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    const stop = onBack(end);
    signal.addEventListener("abort", end);
  });
}
