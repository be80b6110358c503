import type { LonLat } from "@/types/geo";
import { isTerminal, type OrderStatus } from "@/types/order";
import type { Snapshot } from "./api/get-order";

/** The progress of an order, put together from the gateway's events. */
export interface Progress {
  orderId: string;
  status: OrderStatus;
  /** Expected arrival, in the server's ms. */
  eta: number | null;
  version: number;
  reason: string | null;
  driverId: string | null;
  /** Whether its driver is silent or late, according to the gateway. */
  isDelayed: boolean;
  history: HistoryEntry[];
  driver: DriverPosition | null;
  /** Whether a change was missed, so that the whole order must be requested again. */
  hasGap: boolean;
  /** Whether nothing more follows. A rejected order may still be corrected for a while. */
  isOver: boolean;
}

export interface HistoryEntry {
  status: OrderStatus;
  at: number;
  version: number;
}

export interface DriverPosition extends LonLat {
  driverId: string;
  timestamp: number;
}

/** A change of an order. */
export interface StatusChange {
  orderId: string;
  status: OrderStatus;
  eta?: number | null | undefined;
  version: number;
  at: number;
  reason?: string | null | undefined;
  driverId?: string | null | undefined;
  delayed?: boolean | undefined;
}

export type OrderEvent =
  | { type: "snapshot"; snapshot: Snapshot }
  | { type: "status"; change: StatusChange }
  | { type: "driver"; position: DriverPosition }
  /** The order has ended, and nothing will follow. */
  | { type: "end" };

/** Applies an event. Whatever arrives late, twice or out of order, an order never goes back. */
export function advance(progress: Progress | null, event: OrderEvent): Progress | null {
  if (event.type === "snapshot") return fromSnapshot(progress, event.snapshot);
  if (progress === null) return null;
  if (event.type === "status") return withChange(progress, event.change);
  if (event.type === "end") return { ...progress, isOver: true };
  return withDriver(progress, event.position);
}

const isFinal = (status: OrderStatus): boolean => status === "DELIVERED" || status === "CANCELLED";

function fromSnapshot(progress: Progress | null, snapshot: Snapshot): Progress {
  if (progress !== null && snapshot.version < progress.version) return progress;
  const { orderId, status, eta = null, version, reason = null, driverId = null, delayed = false } = snapshot;
  return {
    orderId,
    status,
    eta,
    version,
    reason,
    driverId,
    isDelayed: delayed,
    history: snapshot.history.map(({ status: was, at, version: since }) => ({
      status: was,
      at,
      version: since,
    })),
    driver: isTerminal(status) ? null : (progress?.driver ?? null),
    hasGap: false,
    isOver: isFinal(status),
  };
}

function withChange(progress: Progress, change: StatusChange): Progress {
  if (change.orderId !== progress.orderId || change.version <= progress.version) return progress;
  const { status, eta = null, version, at, reason = null, driverId = null, delayed = false } = change;
  const isNew = status !== progress.status;
  return {
    ...progress,
    status,
    eta,
    version,
    reason: reason ?? (isNew ? null : progress.reason),
    driverId: driverId ?? progress.driverId,
    isDelayed: delayed,
    history: isNew ? [...progress.history, { status, at, version }] : progress.history,
    driver: isTerminal(status) ? null : progress.driver,
    hasGap: progress.hasGap || version > progress.version + 1,
    isOver: isFinal(status),
  };
}

function withDriver(progress: Progress, position: DriverPosition): Progress {
  if (isTerminal(progress.status)) return progress;
  if (progress.driverId !== null && progress.driverId !== position.driverId) return progress;
  // The gateway decides which position is the newest: a wrong clock must not stop the driver here.
  return { ...progress, driver: position };
}

/** The stages of an order without problems. */
export const STEPS: readonly OrderStatus[] = [
  "CREATED",
  "SCHEDULED",
  "IN_PREPARATION",
  "SCHEDULING_DELIVERY",
  "WAITING_FOR_DRIVER",
  "IN_DELIVERY",
  "DELIVERED",
];

export interface TimelineStep {
  status: OrderStatus;
  state: "done" | "current" | "ahead" | "ended";
  /** Since when; `null` if the step is still to come or was skipped. */
  at: number | null;
}

/** The timeline: past, present and future steps. */
export function timelineOf(progress: Progress): TimelineStep[] {
  const since = (status: OrderStatus) =>
    progress.history.find((entry) => entry.status === status)?.at ?? null;
  const { status } = progress;
  if (status === "REJECTED" || status === "CANCELLED") {
    const been = STEPS.filter((step) => since(step) !== null);
    return [
      ...been.map((step) => ({ status: step, state: "done" as const, at: since(step) })),
      { status, state: "ended", at: since(status) },
    ];
  }
  const reached = STEPS.indexOf(status);
  return STEPS.map((step, n) => ({
    status: step,
    state: n < reached || status === "DELIVERED" ? "done" : n === reached ? "current" : "ahead",
    at: n <= reached ? since(step) : null,
  }));
}

/** How much of the way the order has covered, from 0 to 1. */
export function shareDone(status: OrderStatus): number {
  const reached = STEPS.indexOf(status);
  return reached === -1 ? 0 : (reached + 1) / STEPS.length;
}

/** Whether the customer had paid before the order ended: the charge comes before the status `SCHEDULED`. */
export const wasCharged = (progress: Progress): boolean =>
  progress.history.some((entry) => entry.status === "SCHEDULED" || entry.status === "IN_PREPARATION");
