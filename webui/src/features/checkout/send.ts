import { ApiError, isTransient } from "@/lib/http/problem";

/** The state of an order while it is being sent. */
export type SendState =
  | { phase: "sending" }
  /** It is unknown whether the order was accepted; it is sent again at `retryAt` (as of `now`). */
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
/** The gateway may recover from an error, but the order is not sent again without end. */
const TRIES_AFTER_FAULT = 3;

/**
 * Sends an order until it is accepted or refused. While there is no answer, or it is unknown whether the order was accepted, it is
 * sent again. Resolves when the order is accepted; rejects when it is refused or `signal` is aborted.
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
  return "The counter is not answering.";
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
