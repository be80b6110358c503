import { isEventStream, isJson } from "@/lib/http/media-type";
import { type Problem, toProblem } from "@/lib/http/problem";
import { observeTime } from "@/lib/http/request";
import { startStopwatch } from "@/lib/stopwatch";
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
  /** Connects now if it is waiting; also if its connection, or the one it is opening, has been quiet. */
  retryNow(): void;
  /** Connects anew if its connection, or the one it is opening, has been quiet: it may be dead. */
  replaceIfQuiet(): void;
  /** Connects anew in any case: the network is another one. */
  reconnect(): void;
}

export type StreamState =
  | { phase: "connecting" }
  /**
   * The gateway has told everything up to now over this connection, and tells what is new. It says so by a comment: the head of
   * its answer proves little, as someone in between may hold back what comes after.
   */
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
  /** Something has come over a live connection, if only a heartbeat: everything up to now has been told. */
  onHeard?: () => void;
  /** Nothing has come for longer than it should take. The stream still waits for a while. */
  onQuiet?: () => void;
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
/** Nothing has come for this long: a heartbeat is overdue. The gateway sends one every 5 s. */
export const QUIET_AFTER_MS = 7_000;
/** Nothing has come for this long: two heartbeats are overdue, and the connection is taken for dead. */
const SILENCE_LIMIT_MS = 12_000;
/** The gateway begins its answer within 8 s: the 3 s it may take to read the topics, and the 5 s it gives Restate. */
const CONNECT_WITHIN_MS = 10_000;
const LOOK_EVERY_MS = 1_000;
/** A connection that told something and lasted this long was a good one. Others count as failures, however much they told. */
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
      // Cut off or never there: both are met by coming back.
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
  /** Something has come. */
  heard(): void;
  /** Whether something has ever come. */
  hasHeard(): boolean;
  isQuiet(): boolean;
  stop(): void;
}

/** Watches a connection from the moment at which it begins to be opened. */
function startWatchdog({ onQuiet, onSilent }: { onQuiet: () => void; onSilent: () => void }): Watchdog {
  let quietFor = startStopwatch();
  let limit = CONNECT_WITHIN_MS;
  let isTold = false;
  let hasHeard = false;
  const isQuiet = () => quietFor() > QUIET_AFTER_MS;
  // One long timer would go on counting where it was when the device fell asleep.
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

/** A no of the gateway that will be the same next time. */
const isFinal = (status: number): boolean => status >= 400 && status < 500 && ![408, 429].includes(status);

/** A text in the bytes of UTF-8, as a header has it: one character a byte. */
function inUtf8(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
