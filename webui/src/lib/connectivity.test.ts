import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { askHealth, createConnectivity } from "./connectivity";

function setUp() {
  const answers = { here: false, asked: 0 };
  const connectivity = createConnectivity({
    probe: () => {
      answers.asked += 1;
      return answers.here ? Promise.resolve() : Promise.reject(new Error("gone"));
    },
    now: () => Date.now(),
  });
  return { answers, connectivity };
}

describe("connectivity", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("asks again by itself until the gateway is back, then reports it once", async () => {
    const { answers, connectivity } = setUp();
    let back = 0;
    connectivity.onBack(() => back++);
    connectivity.reportGone();
    connectivity.reportGone();
    expect(answers.asked).toBe(1);
    await vi.advanceTimersByTimeAsync(0);
    expect(connectivity.get().here).toBe(false);

    await vi.advanceTimersByTimeAsync(10_000);
    expect(answers.asked).toBeGreaterThan(2);
    expect(connectivity.get().here).toBe(false);

    answers.here = true;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(connectivity.get()).toEqual({ here: true });
    expect(back).toBe(1);

    const asked = answers.asked;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(answers.asked).toBe(asked);
  });

  it("asks at once when told to", async () => {
    const { answers, connectivity } = setUp();
    connectivity.reportGone();
    await vi.advanceTimersByTimeAsync(0);
    answers.here = true;
    connectivity.tryNow();
    await vi.advanceTimersByTimeAsync(0);
    expect(connectivity.get().here).toBe(true);
  });

  it("is only in doubt until the gateway has been asked, and reports its answer", async () => {
    const { answers, connectivity } = setUp();
    const told: string[] = [];
    connectivity.onBack(() => told.push("back"));
    connectivity.onAnswer(() => told.push("answer"));
    answers.here = true;
    connectivity.reportGone();
    expect(connectivity.get().here).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told).toEqual(["answer"]);
    expect(answers.asked).toBe(1);
  });

  it("believes any other answer of the gateway", async () => {
    const { connectivity } = setUp();
    connectivity.reportGone();
    connectivity.reportHere();
    await vi.advanceTimersByTimeAsync(0);
    expect(connectivity.get().here).toBe(true);
    connectivity.reportGone();
    await vi.advanceTimersByTimeAsync(0);
    connectivity.reportHere();
    expect(connectivity.get().here).toBe(true);
  });

  it("never waits longer than five seconds", async () => {
    const { answers, connectivity } = setUp();
    connectivity.reportGone();
    await vi.advanceTimersByTimeAsync(60_000);
    const asked = answers.asked;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(answers.asked).toBe(asked + 1);
  });
});

describe("asking for the gateway's health", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const up = () => new Response('{"status":"UP"}', { headers: { "content-type": "application/json" } });
  /** Answers each request with the next of these; a missing one is never answered. */
  const network = (...answers: Array<() => Response>) => {
    const signals: AbortSignal[] = [];
    const ask = ((_: unknown, { signal }: { signal: AbortSignal }) => {
      signals.push(signal);
      const answer = answers[signals.length - 1];
      return new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
        if (answer) resolve(answer());
      });
    }) as unknown as typeof fetch;
    return { ask, signals };
  };
  const silence = undefined as unknown as () => Response;

  it("takes one request if there is an answer", async () => {
    const { ask, signals } = network(up);
    await askHealth(ask);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(signals).toHaveLength(1);
  });

  it("gets past dead connections, and closes them", async () => {
    const { ask, signals } = network(silence, silence, silence, silence, silence, up);
    const asked = askHealth(ask);
    await vi.advanceTimersByTimeAsync(1_000);
    await asked;
    expect(signals).toHaveLength(6);
    expect(signals.every((signal) => signal.aborted)).toBe(true);
  });

  it.each([
    ["a login page", 200, "text/html"],
    ["a proxy", 502, "text/html"],
    ["a gateway with a fault", 500, "application/problem+json"],
  ])("does not accept the answer of %s", async (_, status, type) => {
    const { ask } = network(() => new Response("{}", { status, headers: { "content-type": type } }));
    await expect(askHealth(ask)).rejects.toThrow(String(status));
  });
});
