import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type EventStream, openEventStream, type StreamState } from "./event-stream";
import type { ServerSentEvent } from "./parser";

/** A gateway that answers each connection with the next of the given answers. */
function fakeGateway() {
  const requests: Headers[] = [];
  const answers: Array<(signal: AbortSignal) => Response | Promise<never>> = [];
  const fetchFake = (_url: unknown, init?: RequestInit): Promise<Response> => {
    requests.push(new Headers(init?.headers));
    const answer = answers.shift();
    return Promise.resolve().then(() =>
      answer ? answer(init?.signal as AbortSignal) : Promise.reject(new TypeError("refused")),
    );
  };
  const aborted = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  /** Accepts the connection, and never answers. */
  const hang = () => answers.push(aborted);
  const answer = (status: number, type: string, body: string) =>
    answers.push(() => new Response(body, { status, headers: { "content-type": type } }));
  const open = () => {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(it) {
        controller = it;
      },
    });
    answers.push((signal) => {
      aborted(signal).catch((reason) => controller?.error(reason));
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    });
    return {
      caughtUp: () => controller?.enqueue(new TextEncoder().encode(": caught up\n\n")),
      send: (text: string) => controller?.enqueue(new TextEncoder().encode(text)),
      cut: () => controller?.error(new TypeError("network error")),
      end: () => controller?.close(),
    };
  };
  const refuse = (status: number) => answer(status, "application/problem+json", "{}");
  return { fetch: fetchFake as typeof fetch, requests, open, hang, answer, refuse };
}

describe("an event stream", () => {
  let stream: EventStream | undefined;
  const events: ServerSentEvent[] = [];
  const states: StreamState[] = [];
  let heard = 0;
  let quiet = 0;
  const start = (gateway: ReturnType<typeof fakeGateway>) => {
    stream = openEventStream("/api/orders/o-1/events", {
      onEvent: (event) => events.push(event),
      onState: (state) => states.push(state),
      onHeard: () => heard++,
      onQuiet: () => quiet++,
      fetch: gateway.fetch,
      random: () => 0.5,
    });
  };
  const phase = () => states.at(-1)?.phase;
  const settle = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

  beforeEach(() => {
    vi.useFakeTimers();
    events.length = 0;
    states.length = 0;
    heard = 0;
    quiet = 0;
  });
  afterEach(() => {
    stream?.close();
    vi.useRealTimers();
  });

  it("continues after the last event it has received when the connection is cut", async () => {
    const gateway = fakeGateway();
    const first = gateway.open();
    const second = gateway.open();
    start(gateway);
    first.caughtUp();
    await settle();
    expect(phase()).toBe("live");
    first.send("event: status\nid: 4\ndata: four\n\n");
    await settle();
    first.cut();
    await settle();
    expect(phase()).toBe("waiting");

    second.caughtUp();
    await settle(1_000);
    expect(phase()).toBe("live");
    expect(gateway.requests.map((headers) => headers.get("last-event-id"))).toEqual([null, "4"]);
    second.send("event: status\nid: 5\ndata: five\n\n");
    await settle();
    expect(events.map((event) => event.data)).toEqual(["four", "five"]);
  });

  it("reconnects with an id of any characters", async () => {
    const gateway = fakeGateway();
    const first = gateway.open();
    gateway.open().caughtUp();
    start(gateway);
    first.caughtUp();
    await settle();
    first.send("id: 寿\ndata: four\n\n");
    await settle();
    first.cut();
    await settle(1_000);
    expect(phase()).toBe("live");
    expect(gateway.requests.map((headers) => headers.get("last-event-id"))).toEqual([
      null,
      "\u00e5\u00af\u00bf",
    ]);
  });

  it("reconnects when the gateway ends the stream", async () => {
    const gateway = fakeGateway();
    gateway.open().end();
    gateway.open().caughtUp();
    start(gateway);
    await settle(1_000);
    expect(gateway.requests).toHaveLength(2);
    expect(phase()).toBe("live");
  });

  it("waits longer the longer the gateway is gone, but never longer than ten seconds", async () => {
    const gateway = fakeGateway();
    start(gateway);
    await settle(60_000);
    const tried = gateway.requests.length;
    expect(tried).toBeLessThan(15);
    await settle(10_000);
    expect(gateway.requests.length).toBeGreaterThan(tried);
  });

  it("also waits longer if something in between cuts every connection after the first event", async () => {
    const gateway = fakeGateway();
    const cut = () => {
      const first = gateway.open();
      first.send("event: snapshot\nid: 4\ndata: four\n\n");
      first.caughtUp();
      first.end();
    };
    for (let n = 0; n < 100; n++) cut();
    start(gateway);
    await settle(60_000);
    expect(gateway.requests.length).toBeLessThan(15);
    expect(events.length).toBeGreaterThan(1);
  });

  it("reconnects soon after a connection that has lasted", async () => {
    const gateway = fakeGateway();
    start(gateway);
    await settle(20_000);
    const good = gateway.open();
    stream?.retryNow();
    for (let n = 0; n < 3; n++) {
      good.caughtUp();
      await settle(3_000);
    }
    gateway.open().caughtUp();
    const tried = gateway.requests.length;
    good.cut();
    await settle(500);
    expect(gateway.requests).toHaveLength(tried + 1);
  });

  it("connects at once when told that the gateway is back", async () => {
    const gateway = fakeGateway();
    start(gateway);
    await settle(20_000);
    gateway.open().caughtUp();
    const tried = gateway.requests.length;
    stream?.retryNow();
    await settle();
    expect(gateway.requests).toHaveLength(tried + 1);
    expect(phase()).toBe("live");
  });

  it("stops if the gateway refuses it, and reports the reason", async () => {
    const gateway = fakeGateway();
    gateway.refuse(404);
    start(gateway);
    await settle(60_000);
    expect(gateway.requests).toHaveLength(1);
    expect(states.at(-1)).toMatchObject({ phase: "refused", problem: { status: 404 } });
  });

  it("reconnects after an answer that is only temporary", async () => {
    const gateway = fakeGateway();
    gateway.refuse(503);
    gateway.open().caughtUp();
    start(gateway);
    await settle(5_000);
    expect(phase()).toBe("live");
  });

  it.each([
    ["a proxy without a backend", 502, "text/html"],
    ["a proxy that does not know the path", 404, "text/plain"],
    ["a firewall", 403, "text/html"],
    ["the login page of a network", 200, "text/html"],
    ["a network that asks for a login", 511, "text/html"],
    ["an answer to another request", 200, "application/json"],
    ["no type at all", 200, ""],
  ])("does not mistake another server's answer for the gateway's: %s", async (_, status, type) => {
    const gateway = fakeGateway();
    gateway.answer(status, type, ": hello\n\ndata: <html>\n\n");
    gateway.open().caughtUp();
    start(gateway);
    await settle();
    expect(states.at(-1)).toEqual({ phase: "waiting", isAnswered: false });
    await settle(1_000);
    expect(phase()).toBe("live");
    expect(events).toEqual([]);
  });

  it("is live once it has received all that it missed, not when it is connected", async () => {
    const gateway = fakeGateway();
    const first = gateway.open();
    start(gateway);
    first.send("event: status\nid: 4\ndata: four\n\n");
    await settle();
    expect(events).toHaveLength(1);
    expect(phase()).toBe("connecting");
    expect(heard).toBe(0);
    first.caughtUp();
    await settle();
    expect(phase()).toBe("live");
    expect(heard).toBe(1);
    first.send("event: status\nid: 5\ndata: five\n\n");
    await settle();
    expect(heard).toBe(2);
  });

  it("gives up on a connection without an answer, and tries another", async () => {
    const gateway = fakeGateway();
    gateway.hang();
    gateway.hang();
    gateway.open().caughtUp();
    start(gateway);
    await settle(9_000);
    expect(gateway.requests).toHaveLength(1);
    expect(quiet).toBe(1);
    await settle(15_000);
    expect(phase()).toBe("live");
  });

  it("replaces a connection that may be dead, and keeps one that is not", async () => {
    const gateway = fakeGateway();
    const first = gateway.open();
    gateway.open().caughtUp();
    start(gateway);
    first.caughtUp();
    await settle(6_000);
    stream?.replaceIfQuiet();
    stream?.retryNow();
    await settle();
    expect(gateway.requests).toHaveLength(1);
    await settle(2_000);
    expect(quiet).toBe(1);
    stream?.replaceIfQuiet();
    await settle();
    expect(gateway.requests).toHaveLength(2);
    expect(phase()).toBe("live");
  });

  it("keeps its retry delay when it is only asked to replace quiet connections", async () => {
    const gateway = fakeGateway();
    start(gateway);
    await settle();
    stream?.replaceIfQuiet();
    await settle();
    expect(gateway.requests).toHaveLength(1);
  });

  it("reconnects in another network, however active the connection was", async () => {
    const gateway = fakeGateway();
    gateway.open().caughtUp();
    gateway.open().caughtUp();
    start(gateway);
    await settle();
    stream?.reconnect();
    await settle();
    expect(gateway.requests).toHaveLength(2);
    expect(phase()).toBe("live");
  });

  it("notices that the device was asleep, when its timers stood still", async () => {
    const gateway = fakeGateway();
    gateway.open().caughtUp();
    gateway.open().caughtUp();
    start(gateway);
    await settle(1_000);
    vi.setSystemTime(Date.now() + 3_600_000);
    await settle(2_000);
    expect(gateway.requests).toHaveLength(2);
    expect(phase()).toBe("live");
  });

  it("keeps a live connection when the device's clock is set back", async () => {
    const gateway = fakeGateway();
    const first = gateway.open();
    start(gateway);
    first.caughtUp();
    await settle();
    vi.setSystemTime(Date.now() - 3_600_000);
    await settle(4_000);
    first.send(": heartbeat\n\n");
    await settle(4_000);
    expect(gateway.requests).toHaveLength(1);
    await settle(10_000);
    expect(gateway.requests.length).toBeGreaterThan(1);
  });

  it("considers a connection dead if it brings no data, not even heartbeats", async () => {
    const gateway = fakeGateway();
    const first = gateway.open();
    gateway.open();
    start(gateway);
    await settle(10_000);
    first.send(": heartbeat\n\n");
    await settle(12_000);
    expect(gateway.requests).toHaveLength(1);
    await settle(2_000);
    expect(gateway.requests).toHaveLength(2);
  });

  it("is silent once it is closed", async () => {
    const gateway = fakeGateway();
    const first = gateway.open();
    start(gateway);
    await settle();
    stream?.close();
    const told = states.length;
    first.send("data: late\n\n");
    first.cut();
    await settle(60_000);
    expect(events).toEqual([]);
    expect(states).toHaveLength(told);
    expect(gateway.requests).toHaveLength(1);
  });
});
