import { type Problem, toProblem } from "@/lib/http/problem";
import { isFromSomeoneElse, observeTime } from "@/lib/http/request";
import { EventStreamParser, type ServerSentEvent } from "./parser";

/**
 * A stream of server-sent events that comes back by itself and goes on after the last event it has seen.
 *
 * Not the browser's `EventSource`: that one gives up for good at the first answer other than 200, and cannot carry the
 * operator's token or the order's key.
 */
export interface EventStream {
  /** Ends it for good. */
  close(): void;
  /** Connects now if it is waiting. */
  retryNow(): void;
}

export type StreamState =
  | { phase: "connecting" }
  | { phase: "live" }
  /** The connection is lost; it comes back by itself. */
  | {
      phase: "waiting";
      /** Whether the gateway itself said that it cannot now. */
      isAnswered: boolean;
    }
  /** The gateway says no; it does not come back. */
  | { phase: "refused"; problem: Problem };

export interface EventStreamOptions {
  onEvent: (event: ServerSentEvent) => void;
  onState?: (state: StreamState) => void;
  token?: string | null;
  orderKey?: string | null;
  /** Come back after any answer, also after one that says that there is no such thing. */
  isStubborn?: boolean;
  fetch?: typeof fetch;
  /** A number from 0 to 1, so that many clients do not come back at the same moment. */
  random?: () => number;
}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 8_000;
/** The gateway sends something, if only a comment, more often than this. */
const SILENCE_LIMIT_MS = 45_000;

export function openEventStream(url: string, options: EventStreamOptions): EventStream {
  const { onEvent, onState = () => {}, isStubborn = false, random = Math.random } = options;
  const { token = null, orderKey = null } = options;
  const ask = options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args));
  let lastEventId = "";
  let failures = 0;
  let isClosed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let connection: AbortController | undefined;

  async function connect(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const controller = new AbortController();
    connection = controller;
    let isAnswered = false;
    onState({ phase: "connecting" });
    try {
      const headers = new Headers({ accept: "text/event-stream" });
      if (lastEventId !== "") headers.set("last-event-id", lastEventId);
      if (token) headers.set("authorization", `Bearer ${token}`);
      if (orderKey) headers.set("order-key", orderKey);
      const response = await ask(url, { headers, cache: "no-store", signal: controller.signal });
      observeTime(response.headers);
      if (!response.ok || response.body === null) {
        const problem = toProblem(response.status, response.headers, await response.json().catch(() => null));
        if (isClosed) return;
        isAnswered = !isFromSomeoneElse(response);
        if (isFinal(response) && !isStubborn) {
          onState({ phase: "refused", problem });
          return;
        }
      } else {
        onState({ phase: "live" });
        await read(response.body);
      }
    } catch {
      // Cut off or never there: both are met by coming back.
    }
    controller.abort();
    if (isClosed) return;
    const delay = Math.min(FIRST_DELAY_MS * 2 ** failures, LONGEST_DELAY_MS) * (0.75 + random() / 2);
    failures += 1;
    onState({ phase: "waiting", isAnswered });
    timer = setTimeout(connect, delay);
  }

  async function read(body: ReadableStream<Uint8Array>): Promise<void> {
    const reader = body
      .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
      .getReader();
    const parser = new EventStreamParser(lastEventId);
    let silence: ReturnType<typeof setTimeout> | undefined;
    try {
      for (;;) {
        clearTimeout(silence);
        silence = setTimeout(() => void reader.cancel().catch(() => {}), SILENCE_LIMIT_MS);
        const { done, value } = await reader.read();
        if (done || isClosed) return;
        for (const event of parser.feed(value)) {
          failures = 0;
          lastEventId = event.id;
          onEvent(event);
          if (isClosed) return;
        }
      }
    } finally {
      clearTimeout(silence);
    }
  }

  void connect();

  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
      connection?.abort();
    },
    retryNow() {
      if (timer === undefined || isClosed) return;
      failures = 0;
      void connect();
    },
  };
}

/** A no of the gateway itself that will be the same next time. */
function isFinal(response: Response): boolean {
  return (
    response.status >= 400 &&
    response.status < 500 &&
    ![408, 429].includes(response.status) &&
    !isFromSomeoneElse(response)
  );
}
