import { describe, expect, it } from "vitest";
import { createServerClock } from "./server-clock";
import type { DeviceClock } from "./stopwatch";

function fakeDevice(wall: number) {
  const clocks = { wallNow: wall, monotonicNow: 0 };
  const device: DeviceClock = { wall: () => clocks.wallNow, monotonic: () => clocks.monotonicNow };
  const pass = (ms: number) => {
    clocks.wallNow += ms;
    clocks.monotonicNow += ms;
  };
  return { device, clocks, pass };
}

describe("the server clock", () => {
  it("is the device's clock until the server has sent a time", () => {
    const { device } = fakeDevice(5_000);
    const clock = createServerClock(device);
    expect(clock.now()).toBe(5_000);
    expect(clock.deviceAhead()).toBeNull();
  });

  it("follows the server if the device is two hours ahead", () => {
    const { device, pass } = fakeDevice(7_200_000 + 1_000);
    const clock = createServerClock(device);
    clock.observe(1_000);
    pass(500);
    expect(clock.now()).toBe(1_500);
    expect(clock.deviceAhead()).toBe(7_200_000);
  });

  it("does not jump when the device's clock is set", () => {
    const { device, clocks, pass } = fakeDevice(10_000);
    const clock = createServerClock(device);
    clock.observe(10_000);
    clocks.wallNow = 99_000_000;
    pass(1_000);
    expect(clock.now()).toBe(11_000);
  });

  it("is not set back by an old event that arrives late", () => {
    const { device, pass } = fakeDevice(0);
    const clock = createServerClock(device);
    clock.observe(60_000);
    pass(1_000);
    clock.observe(12_000);
    expect(clock.now()).toBe(61_000);
  });

  it("catches up after a sleep in which the monotonic clock stood still", () => {
    const { device, clocks } = fakeDevice(0);
    const clock = createServerClock(device);
    clock.observe(1_000);
    clocks.wallNow += 3_600_000;
    clock.observe(3_601_000);
    expect(clock.now()).toBe(3_601_000);
  });

  it("ignores invalid times", () => {
    const { device } = fakeDevice(42);
    const clock = createServerClock(device);
    clock.observe(Number.NaN);
    expect(clock.now()).toBe(42);
  });
});
