import { DEVICE_CLOCK, type DeviceClock } from "./stopwatch";

/**
 * The server's time, whatever the device's clock says.
 *
 * Every time that the server sends was the present a moment before it arrived here, so it is a lower bound for the server's time
 * now, and the highest bound is the best. Bounds are stored relative to the monotonic clock, which does not jump when the
 * device's clock is set.
 */
export interface ServerClock {
  /** Takes in a time sent by the server, in ms since the epoch. */
  observe(serverTime: number): void;
  /** The server's time now, in ms since the epoch; the device's time until the server has sent one. */
  now(): number;
  /** How far the device's clock is ahead of the server's, in ms; `null` while unknown. */
  deviceAhead(): number | null;
}

export function createServerClock(device: DeviceClock = DEVICE_CLOCK): ServerClock {
  let base: number | null = null;
  return {
    observe(serverTime) {
      if (!Number.isFinite(serverTime)) return;
      base = Math.max(base ?? Number.NEGATIVE_INFINITY, serverTime - device.monotonic());
    },
    now() {
      return base === null ? device.wall() : base + device.monotonic();
    },
    deviceAhead() {
      return base === null ? null : device.wall() - (base + device.monotonic());
    },
  };
}

/** The clock of the gateway that served this page. */
export const serverClock = createServerClock();
