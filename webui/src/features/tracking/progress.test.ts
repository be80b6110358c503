import { describe, expect, it } from "vitest";
import type { OrderStatus } from "@/types/order";
import type { Snapshot } from "./api/get-order";
import { readOrderEvent } from "./api/order-events";
import { advance, type OrderEvent, type Progress, STEPS, timelineOf, wasCharged } from "./progress";

const snapshot = (status: OrderStatus, version: number, history: OrderStatus[] = []): OrderEvent => ({
  type: "snapshot",
  snapshot: {
    orderId: "o-1",
    status,
    eta: null,
    version,
    history: history.map((was, n) => ({ status: was, at: 1000 * (n + 1), version: n + 1 })),
  } satisfies Snapshot,
});
const status = (
  name: OrderStatus,
  version: number,
  more: { eta?: number; driverId?: string; reason?: string } = {},
): OrderEvent => ({
  type: "status",
  change: { orderId: "o-1", status: name, version, at: 1000 * version, ...more },
});
const driver = (timestamp: number, lon = -121.9, driverId = "d-1"): OrderEvent => ({
  type: "driver",
  position: { driverId, lon, lat: 37.3, timestamp },
});
const resultOf = (...events: OrderEvent[]): Progress => {
  const progress = events.reduce<Progress | null>(advance, null);
  if (progress === null) throw new Error("nothing is known");
  return progress;
};
const names = (progress: Progress) => progress.history.map((entry) => entry.status);

describe("the progress of an order", () => {
  it("begins with the snapshot and continues with every change", () => {
    const progress = resultOf(
      snapshot("CREATED", 1, ["CREATED"]),
      status("SCHEDULED", 2),
      status("IN_PREPARATION", 3),
    );
    expect(progress.status).toBe("IN_PREPARATION");
    expect(names(progress)).toEqual(["CREATED", "SCHEDULED", "IN_PREPARATION"]);
    expect(progress.hasGap).toBe(false);
  });

  it("knows nothing before the snapshot", () => {
    expect(advance(null, status("SCHEDULED", 2))).toBeNull();
    expect(advance(null, driver(1))).toBeNull();
  });

  it("never goes back, whatever arrives late or twice", () => {
    const progress = resultOf(
      snapshot("CREATED", 1, ["CREATED"]),
      status("SCHEDULED", 2),
      status("IN_PREPARATION", 3),
      status("SCHEDULED", 2),
      status("IN_PREPARATION", 3),
      snapshot("CREATED", 1, ["CREATED"]),
    );
    expect(progress.status).toBe("IN_PREPARATION");
    expect(names(progress)).toEqual(["CREATED", "SCHEDULED", "IN_PREPARATION"]);
  });

  it("is the same whether a stream was resumed or started again", () => {
    const events = [status("SCHEDULED", 2), status("IN_PREPARATION", 3), status("SCHEDULING_DELIVERY", 4)];
    const unbroken = resultOf(snapshot("CREATED", 1, ["CREATED"]), ...events);
    const resumed = resultOf(snapshot("CREATED", 1, ["CREATED"]), ...events.slice(0, 2), ...events.slice(1));
    expect(resumed).toEqual(unbroken);
    const anew = resultOf(
      snapshot("CREATED", 1, ["CREATED"]),
      snapshot("SCHEDULING_DELIVERY", 4, ["CREATED", "SCHEDULED", "IN_PREPARATION", "SCHEDULING_DELIVERY"]),
    );
    expect(names(anew)).toEqual(names(unbroken));
    expect(anew.status).toBe(unbroken.status);
  });

  it("notices a missed change, until a snapshot replaces it", () => {
    const gap = resultOf(snapshot("CREATED", 1, ["CREATED"]), status("IN_PREPARATION", 3));
    expect(gap.hasGap).toBe(true);
    expect(
      advance(gap, snapshot("IN_PREPARATION", 3, ["CREATED", "SCHEDULED", "IN_PREPARATION"]))?.hasGap,
    ).toBe(false);
  });

  it("takes a new expected arrival without a new step", () => {
    const progress = resultOf(
      snapshot("IN_DELIVERY", 6, ["IN_DELIVERY"]),
      status("IN_DELIVERY", 7, { eta: 99_000 }),
    );
    expect(progress.eta).toBe(99_000);
    expect(names(progress)).toEqual(["IN_DELIVERY"]);
  });

  it("ignores the changes of other orders", () => {
    const before = resultOf(snapshot("CREATED", 1));
    const foreign: OrderEvent = {
      type: "status",
      change: { orderId: "o-2", status: "DELIVERED", version: 9, at: 1 },
    };
    expect(advance(before, foreign)).toBe(before);
  });
});

describe("a rejected order", () => {
  const rejected = [snapshot("NEW", 0), status("REJECTED", 1, { reason: "no such region" })] as const;

  it("may be corrected and continue, until the gateway says that nothing follows", () => {
    expect(resultOf(...rejected).isOver).toBe(false);
    const corrected = resultOf(...rejected, status("CREATED", 2));
    expect([corrected.status, corrected.reason]).toEqual(["CREATED", null]);
    expect(resultOf(...rejected, { type: "end" }).isOver).toBe(true);
  });

  it("is final if it was delivered or cancelled", () => {
    expect(resultOf(snapshot("DELIVERED", 7)).isOver).toBe(true);
    expect(resultOf(snapshot("CREATED", 1), status("CANCELLED", 2)).isOver).toBe(true);
    expect(resultOf(snapshot("IN_DELIVERY", 6)).isOver).toBe(false);
  });
});

describe("the driver of an order", () => {
  const underWay = [
    snapshot("SCHEDULING_DELIVERY", 4),
    status("WAITING_FOR_DRIVER", 5, { driverId: "d-1" }),
  ] as const;

  it("is where the gateway says, even if an earlier time was in the future", () => {
    expect(resultOf(...underWay, driver(9000, -121.8), driver(1000, -121.7)).driver?.lon).toBe(-121.7);
  });

  it("is the one who has the order", () => {
    expect(resultOf(...underWay, driver(2000, -121.8), driver(3000, -121.7, "d-9")).driver?.driverId).toBe(
      "d-1",
    );
  });

  it("leaves the map when the order has arrived", () => {
    const progress = resultOf(
      ...underWay,
      driver(2000),
      status("IN_DELIVERY", 6),
      status("DELIVERED", 7),
      driver(9000),
    );
    expect(progress.driver).toBeNull();
  });
});

describe("the timeline", () => {
  it("shows what was, what is and what is to come", () => {
    const timeline = timelineOf(
      resultOf(snapshot("IN_PREPARATION", 3, ["CREATED", "SCHEDULED", "IN_PREPARATION"])),
    );
    expect(timeline.map((step) => step.status)).toEqual([...STEPS]);
    expect(timeline.map((step) => step.state)).toEqual([
      "done",
      "done",
      "current",
      "ahead",
      "ahead",
      "ahead",
      "ahead",
    ]);
    expect(timeline.map((step) => step.at)).toEqual([1000, 2000, 3000, null, null, null, null]);
  });

  it("has every step done once the order is delivered, also skipped ones", () => {
    const timeline = timelineOf(resultOf(snapshot("DELIVERED", 7, ["CREATED", "DELIVERED"])));
    expect(timeline.every((step) => step.state === "done")).toBe(true);
    expect(timeline.find((step) => step.status === "IN_DELIVERY")?.at).toBeNull();
  });

  it("ends where the order ended", () => {
    for (const end of ["REJECTED", "CANCELLED"] as const) {
      const timeline = timelineOf(resultOf(snapshot(end, 3, ["CREATED", "SCHEDULED", end])));
      expect(timeline.map((step) => step.status)).toEqual(["CREATED", "SCHEDULED", end]);
      expect(timeline.at(-1)?.state).toBe("ended");
    }
  });

  it("has no step done before the order is known", () => {
    expect(timelineOf(resultOf(snapshot("NEW", 0))).every((step) => step.state === "ahead")).toBe(true);
  });
});

describe("an order that ended early", () => {
  it("was charged if it was past the payment", () => {
    expect(wasCharged(resultOf(snapshot("REJECTED", 2, ["CREATED", "REJECTED"])))).toBe(false);
    expect(wasCharged(resultOf(snapshot("CANCELLED", 3, ["CREATED", "SCHEDULED", "CANCELLED"])))).toBe(true);
  });
});

describe("an event from the gateway", () => {
  it("is parsed, or ignored if this version does not know it", () => {
    const data = JSON.stringify({ orderId: "o-1", status: "TELEPORTED", eta: null, version: 2, at: 5 });
    expect(readOrderEvent({ event: "status", data, id: "2" })).toMatchObject({
      change: { status: "UNKNOWN" },
    });
    expect(readOrderEvent({ event: "status", data: "{", id: "2" })).toBeNull();
    expect(readOrderEvent({ event: "status", data: "{}", id: "2" })).toBeNull();
    expect(readOrderEvent({ event: "weather", data, id: "2" })).toBeNull();
  });
});
