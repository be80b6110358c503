/** The device's clocks: one for people, which jumps when it is set, and one that never jumps. Both in ms. */
export interface DeviceClock {
  wall(): number;
  monotonic(): number;
}

export const DEVICE_CLOCK: DeviceClock = { wall: () => Date.now(), monotonic: () => performance.now() };

/**
 * Starts a stopwatch; the returned function gives the ms since then.
 *
 * The monotonic clock may stand still while the device sleeps, and the wall clock may be set back, so the larger of the two
 * differences counts. It is too large if the wall clock was set forward, which costs at most one unnecessary request.
 */
export function startStopwatch(device: DeviceClock = DEVICE_CLOCK): () => number {
  const [wall, monotonic] = [device.wall(), device.monotonic()];
  return () => Math.max(device.wall() - wall, device.monotonic() - monotonic);
}
