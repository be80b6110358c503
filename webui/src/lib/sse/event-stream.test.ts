import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type EventStream, openEventStream, type StreamState } from "./event-stream";
import type { ServerSentEvent } from "./parser";

/** A gateway that answers each connection with the next of what it is told to answer. */
function fakeGateway() {
  const requests: Headers[] = [];
  const answers: Array<() => Response | Promise<never>> = [];
  const fetchFake = (_url: unknown, init?: RequestInit): Promise<Response> => {
    requests.push(new Headers(init?.headers));
    const answer = answers.shift();
    return Promise.resolve().then(() => (answer ? answer() : Promise.reject(new TypeError("refused"))));
  };
  const open = () => {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({
      start(it) {
        controller = it;
      },
    });
    answers.push(() => new Response(body, { headers: { "content-type": "text/event-stream" } }));
    return {
      send: (text: string) => controller?.enqueue(new TextEncoder().encode(text)),
      cut: () => controller?.error(new TypeError("network error")),
      end: () => controller?.close(),
    };
  };
  const refuse = (status: number, problem = true) =>
    answers.push(
      () =>
        new Response("{}", {
          status,
          headers: { "content-type": problem ? "application/problem+json" : "text/html" },
        }),
    );
  return { fetch: fetchFake as typeof fetch, requests, open, refuse };
}

describe("an event stream", () => {
  let stream: EventStream | undefined;
  const events: ServerSentEvent[] = [];
  const states: StreamState[] = [];
  const start = (gateway: ReturnType<typeof fakeGateway>) => {
    stream = openEventStream("/api/orders/o-1/events", {
      onEvent: (event) => events.push(event),
      onState: (state) => states.push(state),
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
  });
  afterEach(() => {
    stream?.close();
    vi.useRealTimers();
  });

  it("goes on after the last event it has seen when the connection is cut", async () => {
    const gateway = fakeGateway();
    const first = gateway.open();
    const second = gateway.open();
    start(gateway);
    await settle();
    expect(phase()).toBe("live");
    first.send("event: status\nid: 4\ndata: four\n\n");
    await settle();
    first.cut();
    await settle();
    expect(phase()).toBe("waiting");

    await settle(1_000);
    expect(phase()).toBe("live");
    expect(gateway.requests.map((headers) => headers.get("last-event-id"))).toEqual([null, "4"]);
    second.send("event: status\nid: 5\ndata: five\n\n");
    await settle();
    expect(events.map((event) => event.data)).toEqual(["four", "five"]);
  });

  it("comes back when the gateway ends the stream", async () => {
    const gateway = fakeGateway();
    gateway.open().end();
    gateway.open();
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

  it("connects at once when told that the gateway is back", async () => {
    const gateway = fakeGateway();
    start(gateway);
    await settle(20_000);
    gateway.open();
    const tried = gateway.requests.length;
    stream?.retryNow();
    await settle();
    expect(gateway.requests).toHaveLength(tried + 1);
    expect(phase()).toBe("live");
  });

  it("stops at a no of the gateway, and says which", async () => {
    const gateway = fakeGateway();
    gateway.refuse(404);
    start(gateway);
    await settle(60_000);
    expect(gateway.requests).toHaveLength(1);
    expect(states.at(-1)).toMatchObject({ phase: "refused", problem: { status: 404 } });
  });

  it("comes back after an answer that only means not now", async () => {
    const gateway = fakeGateway();
    gateway.refuse(503);
    gateway.refuse(502, false);
    gateway.open();
    start(gateway);
    await settle(5_000);
    expect(phase()).toBe("live");
  });

  it("takes a connection on which nothing comes, not even a heartbeat, for dead", async () => {
    const gateway = fakeGateway();
    const first = gateway.open();
    gateway.open();
    start(gateway);
    await settle(30_000);
    first.send(": heartbeat\n\n");
    await settle(30_000);
    expect(gateway.requests).toHaveLength(1);
    await settle(30_000);
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
