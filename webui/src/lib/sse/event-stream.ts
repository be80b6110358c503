import { isEventStream, isJson } from "@/lib/http/media-type";
import { type Problem, toProblem } from "@/lib/http/problem";
import { observeTime } from "@/lib/http/request";
import { startStopwatch } from "@/lib/stopwatch";
import { EventStreamParser, type ServerSentEvent } from "./parser";

/**
 * A stream of server-sent events that reconnects by itself and continues after the last event it has received.
 *
 * The browser's `EventSource` will not do: it gives up for good at the first answer other than 200, and cannot send the
 * operator's token or the order's key.
 */
export interface EventStream {
  /** Closes it for good. */
  close(): void;
  /** Connects now if it is waiting, or if its connection, open or opening, has been quiet. */
  retryNow(): void;
  /** Reconnects if its connection, open or opening, has been quiet: it may be dead. */
  replaceIfQuiet(): void;
  /** Reconnects in any case: the network has changed. */
  reconnect(): void;
}

export type StreamState =
  | { phase: "connecting" }
  /**
   * The client has everything up to now over this connection, and gets what is new. The gateway says so by a comment: the head of
   * its answer proves little, because something in between may hold back the rest.
   */
  | { phase: "live" }
  /** The connection is lost; the stream reconnects by itself. */
  | {
      phase: "waiting";
      /** Whether the gateway itself said that it is temporarily unavailable. */
      isAnswered: boolean;
    }
  /** The gateway refuses the stream, which does not reconnect. */
  | { phase: "refused"; problem: Problem };

export interface EventStreamOptions {
  onEvent: (event: ServerSentEvent) => void;
  onState?: (state: StreamState) => void;
  /** Something has arrived over a live connection, if only a heartbeat: the client has everything up to now. */
  onHeard?: () => void;
  /** Nothing has arrived for longer than it should take. The stream still waits for a while. */
  onQuiet?: () => void;
  token?: string | null;
  orderKey?: string | null;
  /** Reconnect after any answer, even if the gateway says that it does not exist. */
  isStubborn?: boolean;
  fetch?: typeof fetch;
  /** A number from 0 to 1, so that many clients do not reconnect at the same moment. */
  random?: () => number;
}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 8_000;
/** After this long without data, a heartbeat is overdue. The gateway sends one every 5 s. */
export const QUIET_AFTER_MS = 7_000;
/** After this long without data, two heartbeats are overdue, and the connection counts as dead. */
const SILENCE_LIMIT_MS = 12_000;
/** The gateway begins its answer within 8 s: the 3 s it may take to read the topics, and the 5 s it gives Restate. */
const CONNECT_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 1_000;
/** A connection that delivered something and lasted this long was a good one. Others count as failures, whatever they delivered. */
const GOOD_AFTER_MS = 5_000;

export function openEventStream(url: string, options: EventStreamOptions): EventStream {
  const { onEvent, onState = () => {}, onHeard = () => {}, onQuiet = () => {} } = options;
  const { token = null, orderKey = null, isStubborn = false, random = Math.random } = options;
  const ask = options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args));
  let lastEventId = "";
  let failures = 0;
  let isClosed = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let connection: { controller: AbortController; watchdog: Watchdog } | undefined;

  async function connect(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    connection?.controller.abort();
    const controller = new AbortController();
    const watchdog = startWatchdog({ onQuiet, onSilent: () => controller.abort() });
    connection = { controller, watchdog };
    const isInUse = () => !isClosed && connection?.controller === controller;
    const lastedFor = startStopwatch();
    let isAnswered = false;
    onState({ phase: "connecting" });
    try {
      const headers = new Headers({ accept: "text/event-stream" });
      if (lastEventId !== "") headers.set("last-event-id", inUtf8(lastEventId));
      if (token) headers.set("authorization", `Bearer ${token}`);
      if (orderKey) headers.set("order-key", orderKey);
      const { signal } = controller;
      const response = await ask(url, { headers, cache: "no-store", redirect: "error", signal });
      if (response.ok && isEventStream(response.headers) && response.body !== null) {
        observeTime(response.headers);
        await read(response.body, watchdog, isInUse);
      } else if (!response.ok && isJson(response.headers)) {
        observeTime(response.headers);
        const problem = toProblem(response.status, response.headers, await response.json().catch(() => null));
        if (!isInUse()) return;
        isAnswered = true;
        if (isFinal(response.status) && !isStubborn) {
          onState({ phase: "refused", problem });
          return;
        }
      }
    } catch {
      // Cut off or never established: both lead to a reconnection.
    } finally {
      watchdog.stop();
      controller.abort();
    }
    if (!isInUse()) return;
    if (watchdog.hasHeard() && lastedFor() > GOOD_AFTER_MS) failures = 0;
    const delay = Math.min(FIRST_DELAY_MS * 2 ** failures, LONGEST_DELAY_MS) * (0.75 + random() / 2);
    failures += 1;
    onState({ phase: "waiting", isAnswered });
    timer = setTimeout(connect, delay);
  }

  async function read(
    body: ReadableStream<Uint8Array>,
    watchdog: Watchdog,
    isInUse: () => boolean,
  ): Promise<void> {
    const reader = body
      .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
      .getReader();
    const parser = new EventStreamParser(lastEventId);
    for (let isLive = false; ; ) {
      const { done, value } = await reader.read();
      if (done || !isInUse()) return;
      watchdog.heard();
      for (const event of parser.feed(value)) {
        lastEventId = event.id;
        onEvent(event);
        if (!isInUse()) return;
      }
      if (!isLive && parser.hasComment) {
        isLive = true;
        onState({ phase: "live" });
      }
      if (isLive) onHeard();
    }
  }

  function reconnect(): void {
    if (isClosed) return;
    failures = 0;
    void connect();
  }

  function replaceIfQuiet(): void {
    if (timer === undefined && connection?.watchdog.isQuiet()) reconnect();
  }

  void connect();

  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
      connection?.controller.abort();
    },
    retryNow() {
      if (timer !== undefined) reconnect();
      else replaceIfQuiet();
    },
    replaceIfQuiet,
    reconnect,
  };
}

interface Watchdog {
  /** Data has arrived. */
  heard(): void;
  /** Whether data has ever arrived. */
  hasHeard(): boolean;
  isQuiet(): boolean;
  stop(): void;
}

/** Watches a connection from the moment at which it starts to open. */
function startWatchdog({ onQuiet, onSilent }: { onQuiet: () => void; onSilent: () => void }): Watchdog {
  let quietFor = startStopwatch();
  let limit = CONNECT_WITHIN_MS;
  let isTold = false;
  let hasHeard = false;
  const isQuiet = () => quietFor() > QUIET_AFTER_MS;
  // A single long timer would continue where it was when the device fell asleep.
  const timer = setInterval(() => {
    if (quietFor() > limit) onSilent();
    else if (isQuiet() && !isTold) {
      isTold = true;
      onQuiet();
    }
  }, LOOK_EVERY_MS);
  return {
    heard() {
      quietFor = startStopwatch();
      limit = SILENCE_LIMIT_MS;
      isTold = false;
      hasHeard = true;
    },
    hasHeard: () => hasHeard,
    isQuiet,
    stop: () => clearInterval(timer),
  };
}

/** A refusal of the gateway that will be the same next time. */
const isFinal = (status: number): boolean => status >= 400 && status < 500 && ![408, 429].includes(status);

/** A text as a header value: one character for each byte of its UTF-8 form. */
function inUtf8(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
