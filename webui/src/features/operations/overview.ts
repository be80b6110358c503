import { ORDER_STATUSES, type OrderStatus, toOrderStatus } from "@/types/order";
import type {
  DeadLetter,
  Delivery,
  Driver,
  OperationsEvent,
  RegionView,
  StageTimes,
  StuckOrder,
  Throughput,
} from "./api/operations-events";

/** Everything that the operations page shows, from a snapshot and the changes after it. */
export interface Overview {
  now: number;
  regions: RegionView[];
  drivers: ReadonlyMap<string, Driver>;
  byStatus: Partial<Record<OrderStatus, number>>;
  deliveries: Delivery[];
  stuck: StuckOrder[];
  /** Newest first. */
  deadLetters: DeadLetter[];
  stages: StageTimes[];
  throughput: Throughput[];
}

const NOTHING: Overview = {
  now: 0,
  regions: [],
  drivers: new Map(),
  byStatus: {},
  deliveries: [],
  stuck: [],
  deadLetters: [],
  stages: [],
  throughput: [],
};

/** Applies an event. A snapshot replaces everything; ticks before the first one are ignored. */
export function advanceOverview(
  overview: Overview | null,
  { type, update }: OperationsEvent,
): Overview | null {
  if (type === "tick" && overview === null) return null;
  const before = type === "snapshot" || overview === null ? NOTHING : overview;
  const { now, drivers = [], driversGone = [], orders, deadLetters, ...rest } = update;
  return {
    ...before,
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)),
    now,
    drivers: withDrivers(before.drivers, drivers, driversGone),
    byStatus: orders ? countsOf(orders.byStatus) : before.byStatus,
    deadLetters: deadLetters ? [...deadLetters].sort((a, b) => b.at - a.at) : before.deadLetters,
  };
}

function withDrivers(
  before: Overview["drivers"],
  changed: readonly Driver[],
  gone: readonly string[],
): Overview["drivers"] {
  if (changed.length === 0 && gone.length === 0) return before;
  const drivers = new Map(before);
  // The gateway decides which position is the newest.
  for (const driver of changed) drivers.set(driver.driverId, driver);
  for (const driverId of gone) drivers.delete(driverId);
  return drivers;
}

function countsOf(byStatus: Record<string, number>): Partial<Record<OrderStatus, number>> {
  const counts: Partial<Record<OrderStatus, number>> = {};
  for (const [name, count] of Object.entries(byStatus)) {
    const status = toOrderStatus(name);
    counts[status] = (counts[status] ?? 0) + count;
  }
  return counts;
}

/** A driver who has not reported for this long is silent. */
const SILENT_AFTER_MS = 60_000;

/** What a driver is doing, as far as known. */
export function toneOf(driver: Driver, now: number): "busy" | "idle" | "silent" {
  if (now - driver.timestamp > SILENT_AFTER_MS) return "silent";
  return driver.deliveryId ? "busy" : "idle";
}

/** Deliveries with a driver; the others wait for one. */
export const underWay = (deliveries: readonly Delivery[]): Delivery[] =>
  deliveries.filter((delivery) => delivery.driverId);

/** The initial region: the only one with drivers, or `null` for all. */
export function busiestRegion({ regions, drivers }: Overview): string | null {
  const manned = regions.filter(({ region }) =>
    [...drivers.values()].some((driver) => driver.region === region),
  );
  return manned.length === 1 ? (manned[0]?.region ?? null) : null;
}

/** The seconds over which the throughput is averaged: single orders would make it too jagged. */
export const SMOOTHED_OVER = 10;

/** The throughput, each value averaged with the preceding ones. */
export function smoothed(throughput: readonly Throughput[]): Throughput[] {
  return throughput.map(({ at }, n) => {
    const window = throughput.slice(Math.max(0, n + 1 - SMOOTHED_OVER), n + 1);
    return { at, perSecond: window.reduce((sum, it) => sum + it.perSecond, 0) / window.length };
  });
}

/** The statuses to show: those of open orders always, the others if there are any. */
export function shownStatuses(byStatus: Overview["byStatus"]): Array<{ status: OrderStatus; count: number }> {
  return ORDER_STATUSES.filter(
    (status) => !["NEW", "UNKNOWN"].includes(status) || (byStatus[status] ?? 0) > 0,
  ).map((status) => ({
    status,
    count: byStatus[status] ?? 0,
  }));
}

export const deadLetterId = (letter: DeadLetter): string =>
  `${letter.topic}/${letter.partition}/${letter.offset}`;
