import { describe, expect, it } from "vitest";
import { readOperationsEvent } from "./api/operations-events";
import {
  advanceOverview,
  busiestRegion,
  type Overview,
  shownStatuses,
  smoothed,
  toneOf,
  underWay,
} from "./overview";

const driver = (driverId: string, timestamp: number, lon = 1) => ({
  driverId,
  region: "SJ",
  lon,
  lat: 1,
  timestamp,
});
const letter = (offset: number, at: number) => ({
  topic: "orders",
  partition: 0,
  offset,
  key: "k",
  reason: "r",
  value: "v",
  at,
});
const event = (type: "snapshot" | "tick", update: Record<string, unknown>) => {
  const read = readOperationsEvent({ event: type, data: JSON.stringify({ now: 1000, ...update }), id: "" });
  if (read === null) throw new Error("not read");
  return read;
};
const resultOf = (...events: Array<ReturnType<typeof event>>): Overview => {
  const overview = events.reduce<Overview | null>(advanceOverview, null);
  if (overview === null) throw new Error("nothing is known");
  return overview;
};

describe("the overview of operations", () => {
  it("knows nothing before the first snapshot", () => {
    expect(advanceOverview(null, event("tick", {}))).toBeNull();
  });

  it("keeps what a tick does not name", () => {
    const overview = resultOf(
      event("snapshot", { orders: { byStatus: { CREATED: 2 } }, drivers: [driver("a", 1)] }),
      event("tick", { now: 2000 }),
    );
    expect(overview.byStatus).toEqual({ CREATED: 2 });
    expect(overview.drivers.size).toBe(1);
    expect(overview.now).toBe(2000);
  });

  it("moves the drivers that a tick names and leaves the others", () => {
    const overview = resultOf(
      event("snapshot", { drivers: [driver("a", 1), driver("b", 1)] }),
      event("tick", { drivers: [driver("b", 2, 9), driver("c", 2)] }),
    );
    expect([...overview.drivers.values()].map((it) => [it.driverId, it.lon])).toEqual([
      ["a", 1],
      ["b", 9],
      ["c", 1],
    ]);
  });

  it("forgets the drivers that a tick names as gone", () => {
    const overview = resultOf(
      event("snapshot", { drivers: [driver("a", 1), driver("b", 1)] }),
      event("tick", { driversGone: ["a"] }),
    );
    expect([...overview.drivers.keys()]).toEqual(["b"]);
  });

  it("shows drivers where the gateway says, even if an earlier time was in the future", () => {
    const overview = resultOf(
      event("snapshot", { drivers: [driver("a", 5, 5)] }),
      event("tick", { drivers: [driver("a", 4, 4)] }),
    );
    expect(overview.drivers.get("a")?.lon).toBe(4);
  });

  it("replaces whole lists, also with empty ones", () => {
    const overview = resultOf(
      event("snapshot", { stuck: [{ orderId: "o", status: "CREATED", since: 1 }] }),
      event("tick", { stuck: [] }),
    );
    expect(overview.stuck).toEqual([]);
  });

  it("starts over with every snapshot, as after a lost connection", () => {
    const overview = resultOf(
      event("snapshot", { drivers: [driver("a", 1)] }),
      event("snapshot", { drivers: [driver("b", 1)] }),
    );
    expect([...overview.drivers.keys()]).toEqual(["b"]);
  });

  it("shows the newest dead letter first", () => {
    const overview = resultOf(
      event("snapshot", { deadLetters: [letter(1, 10), letter(2, 30), letter(3, 20)] }),
    );
    expect(overview.deadLetters.map((it) => it.offset)).toEqual([2, 3, 1]);
  });

  it("ignores events that it cannot read", () => {
    expect(readOperationsEvent({ event: "tick", data: "{}", id: "" })).toBeNull();
    expect(readOperationsEvent({ event: "tick", data: "no", id: "" })).toBeNull();
    expect(readOperationsEvent({ event: "else", data: "{}", id: "" })).toBeNull();
  });
});

describe("a driver on the map", () => {
  it("is busy, idle, or silent for too long", () => {
    expect(toneOf({ ...driver("a", 1000), deliveryId: "o" }, 2000)).toBe("busy");
    expect(toneOf(driver("a", 1000), 2000)).toBe("idle");
    expect(toneOf({ ...driver("a", 1000), deliveryId: "o" }, 100_000)).toBe("silent");
  });
});

describe("the throughput", () => {
  it("is averaged over the preceding seconds, and keeps its times", () => {
    const spikes = Array.from({ length: 30 }, (_, n) => ({ at: n * 1000, perSecond: n % 10 === 0 ? 1 : 0 }));
    const even = smoothed(spikes);
    expect(even.map((it) => it.at)).toEqual(spikes.map((it) => it.at));
    expect(even[0]?.perSecond).toBe(1);
    for (const { perSecond } of even.slice(9)) expect(perSecond).toBeCloseTo(0.1);
    expect(smoothed([])).toEqual([]);
  });
});

describe("the map of operations", () => {
  const region = (name: string) => ({ region: name, centre: { lon: 0, lat: 0 }, halfExtent: 1 });

  it("begins with the only region where there are drivers, else with all", () => {
    const regions = [region("SJ"), region("SF")];
    expect(busiestRegion(resultOf(event("snapshot", { regions, drivers: [driver("a", 1)] })))).toBe("SJ");
    expect(busiestRegion(resultOf(event("snapshot", { regions, drivers: [] })))).toBeNull();
    const both = [driver("a", 1), { ...driver("b", 1), region: "SF" }];
    expect(busiestRegion(resultOf(event("snapshot", { regions, drivers: both })))).toBeNull();
  });

  it("shows the routes of deliveries that have a driver", () => {
    const deliveries = [
      { orderId: "a", status: "IN_DELIVERY", driverId: "d" },
      { orderId: "b", status: "SCHEDULING_DELIVERY" },
    ];
    const overview = resultOf(event("snapshot", { deliveries }));
    expect(underWay(overview.deliveries).map((it) => it.orderId)).toEqual(["a"]);
  });
});

describe("orders by status", () => {
  it("has an entry for every open status, and for the others only if there are any", () => {
    const plain = shownStatuses({ CREATED: 1 });
    expect(plain[0]).toEqual({ status: "CREATED", count: 1 });
    expect(plain).toHaveLength(9);
    expect(shownStatuses({ UNKNOWN: 3 })).toHaveLength(10);
  });
});
