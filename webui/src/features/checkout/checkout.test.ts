import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, GatewayGoneError, toProblem } from "@/lib/http/problem";
import { isInRegion } from "@/types/geo";
import { ADDRESSES } from "./addresses";
import { attemptFor, contentOf, sentWith } from "./attempt";
import { checkDraft, type Draft, delayOf, parseDraft, toLocalField } from "./draft";
import { type SendState, sendUntilAnswered } from "./send";

const NOW = new Date(2030, 4, 17, 18, 30, 20).getTime();
const AT_HOME = { kind: "address", id: "city-hall" } as const;
const check = (draft: Partial<Draft>) => checkDraft({ when: { kind: "now" }, where: AT_HOME, ...draft }, NOW);

describe("the given addresses", () => {
  it("lie where San José is served", () => {
    for (const address of ADDRESSES) expect(isInRegion(address.place), address.name).toBe(true);
  });
});

describe("the delivery time", () => {
  it("is now, in five or in fifteen seconds", () => {
    for (const [kind, delay] of [
      ["now", 0],
      ["in5", 5_000],
      ["in15", 15_000],
    ] as const) {
      expect(check({ when: { kind } })).toMatchObject({
        checked: { start: { kind: "after", delayMs: delay } },
      });
    }
  });

  it("can be a time, so that the wait shrinks while the order is being sent", () => {
    const time = NOW + 600_000;
    const result = check({ when: { kind: "at", time: toLocalField(time) } });
    if (!("checked" in result)) throw new Error("refused");
    const { start } = result.checked;
    const minute = time - (time % 60_000);
    expect(delayOf(start, NOW)).toBe(minute - NOW);
    expect(delayOf(start, NOW + 60_000)).toBe(minute - NOW - 60_000);
    expect(delayOf(start, time + 60_000)).toBe(0);
  });

  it("may be the current minute, but not an earlier one", () => {
    expect(check({ when: { kind: "at", time: toLocalField(NOW) } })).toHaveProperty("checked");
    expect(check({ when: { kind: "at", time: toLocalField(NOW - 120_000) } })).toHaveProperty("errors.when");
  });

  it("is refused if it is invalid or too far ahead", () => {
    for (const time of ["", "soon", toLocalField(NOW + 31 * 86_400_000)]) {
      expect(check({ when: { kind: "at", time } })).toHaveProperty("errors.when");
    }
  });
});

describe("the delivery place", () => {
  it("must be chosen, known and near", () => {
    expect(check({ where: null })).toHaveProperty("errors.where");
    expect(check({ where: { kind: "address", id: "atlantis" } })).toHaveProperty("errors.where");
    expect(check({ where: { kind: "pin", place: { lon: -122.4, lat: 37.7 } } })).toHaveProperty(
      "errors.where",
    );
    expect(check({ where: { kind: "pin", place: { lon: -121.88, lat: 37.33 } } })).toHaveProperty("checked");
  });

  it("is reported as wrong together with the time", () => {
    expect(check({ where: null, when: { kind: "at", time: "" } })).toMatchObject({
      errors: { where: expect.any(String), when: expect.any(String) },
    });
  });
});

describe("a stored draft", () => {
  it("is read as it was written, and dropped if it is invalid", () => {
    const draft: Draft = { when: { kind: "at", time: "2030-05-17T18:30" }, where: AT_HOME };
    expect(parseDraft(JSON.parse(JSON.stringify(draft)))).toEqual(draft);
    for (const wrong of [
      null,
      {},
      { when: { kind: "never" }, where: null },
      { ...draft, where: { kind: "pin" } },
    ]) {
      expect(parseDraft(wrong)).toBeNull();
    }
  });
});

describe("an attempt", () => {
  const order = {
    restaurantId: "r",
    products: [{ productId: "p", description: "P", quantity: 1 }],
    totalCost: 1,
    customerLocation: { lon: 0, lat: 0 },
  };
  const content = contentOf(order, { kind: "after", delayMs: 0 });

  const ticket = (orderId: string) => ({ orderId, key: `key of ${orderId}` });

  it("keeps its id and its key while the content is the same, as after a double click", () => {
    const first = attemptFor(null, content, ticket("one"));
    expect(attemptFor(first, content, ticket("two"))).toBe(first);
    expect(first).toEqual({ orderId: "one", key: "key of one", content, deliveryDelay: null });
  });

  it("is always sent with its first delay, because otherwise it would be another order for the gateway", () => {
    const first = sentWith(attemptFor(null, content, ticket("one")), "one", 60_000);
    expect(first?.deliveryDelay).toBe(60_000);
    expect(sentWith(first, "one", 50_000)).toBe(first);
    expect(attemptFor(first, content, ticket("two")).deliveryDelay).toBe(60_000);
    // Another tab has started to order something else.
    expect(sentWith(first, "two", 50_000)).toBe(first);
  });

  it("has a new id when something else is ordered", () => {
    const first = attemptFor(null, content, ticket("one"));
    const other = contentOf(
      { ...order, products: [{ productId: "p", description: "P", quantity: 2 }] },
      { kind: "after", delayMs: 0 },
    );
    expect(attemptFor(first, other, ticket("two")).orderId).toBe("two");
    const later = contentOf(order, { kind: "after", delayMs: 5000 });
    expect(attemptFor(first, later, ticket("two")).orderId).toBe("two");
  });
});

describe("sending an order", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const api = (status: number, headers: Record<string, string> = {}) =>
    new ApiError(toProblem(status, new Headers(headers), null));
  function start(answers: Array<Error | "yes">) {
    const states: SendState[] = [];
    const abort = new AbortController();
    let back = () => {};
    let sent = 0;
    const done = sendUntilAnswered({
      send: () => {
        const answer = answers[Math.min(sent, answers.length - 1)];
        sent += 1;
        return answer === "yes" ? Promise.resolve() : Promise.reject(answer);
      },
      signal: abort.signal,
      onState: (state) => states.push(state),
      onBack: (listener) => {
        back = listener;
        return () => {};
      },
      now: () => Date.now(),
    });
    const outcome = done.then(
      () => "yes",
      (error) => error,
    );
    return { states, abort, outcome, count: () => sent, back: () => back() };
  }

  it("is repeated until the gateway accepts it", async () => {
    const { outcome, count, states } = start([
      new GatewayGoneError("gone"),
      api(503, { "retry-after": "2" }),
      "yes",
    ]);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await outcome).toBe("yes");
    expect(count()).toBe(3);
    expect(states.filter((state) => state.phase === "waiting")).toHaveLength(2);
  });

  it("ends at once if the gateway refuses it", async () => {
    const no = api(422);
    const { outcome, count } = start([no]);
    expect(await outcome).toBe(no);
    expect(count()).toBe(1);
  });

  it("gives up after three errors of the gateway", async () => {
    const fault = api(500);
    const { outcome, count } = start([fault]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await outcome).toBe(fault);
    expect(count()).toBe(3);
  });

  it("stops waiting once the gateway is back", async () => {
    const { outcome, back } = start([new GatewayGoneError("gone"), "yes"]);
    await vi.advanceTimersByTimeAsync(1);
    back();
    await vi.advanceTimersByTimeAsync(0);
    expect(await outcome).toBe("yes");
  });

  it("stops when the customer no longer wants to wait", async () => {
    const { outcome, abort, count } = start([new GatewayGoneError("gone")]);
    await vi.advanceTimersByTimeAsync(1);
    abort.abort();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await outcome).toBeInstanceOf(DOMException);
    expect(count()).toBe(1);
  });
});
