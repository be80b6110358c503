import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createConnectivity } from "./connectivity";

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

  it("asks again by itself until the gateway is back, then tells once", async () => {
    const { answers, connectivity } = setUp();
    let back = 0;
    connectivity.onBack(() => back++);
    connectivity.reportGone();
    connectivity.reportGone();
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
    answers.here = true;
    connectivity.tryNow();
    await vi.advanceTimersByTimeAsync(0);
    expect(connectivity.get().here).toBe(true);
  });

  it("believes any answer that comes another way", () => {
    const { connectivity } = setUp();
    connectivity.reportGone();
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
