import { describe, expect, it } from "vitest";
import { formatClock } from "@/lib/format";
import type { OrderStatus } from "@/types/order";
import { delayOf } from "./delay";
import type { Progress } from "./progress";

const SINCE = 1_000_000;
const HOUR = 3_600_000;

const progress = (status: OrderStatus, eta: number | null = null): Progress => ({
  orderId: "o-1",
  status,
  eta,
  version: 1,
  reason: null,
  driverId: null,
  isDelayed: false,
  history: [{ status, at: SINCE, version: 1 }],
  driver: null,
  hasGap: false,
  isOver: false,
});

const delayAt = (now: number, order: Progress, beginsAt: number | null = null) =>
  delayOf(order, { beginsAt, seenAt: SINCE, now });

describe("a delay", () => {
  it("is reported for every stage that takes longer than it should, with what it means", () => {
    for (const status of ["CREATED", "IN_PREPARATION", "SCHEDULING_DELIVERY"] as const) {
      expect(delayAt(SINCE + 10_000, progress(status)), status).toBeNull();
      expect(delayAt(SINCE + HOUR, progress(status)), status).toContain("at no cost to you");
    }
    expect(delayAt(SINCE + HOUR, progress("NEW"))).toContain("nothing has been charged yet");
  });

  it("is reported when the driver is silent, before and after the pickup", () => {
    const waiting = { ...progress("WAITING_FOR_DRIVER"), isDelayed: true };
    expect(delayAt(SINCE, waiting)).toContain("another one");
    expect(delayAt(SINCE, { ...progress("IN_DELIVERY"), isDelayed: true })).toContain("has your food");
    expect(delayAt(SINCE, { ...progress("DELIVERED"), isDelayed: true })).toBeNull();
  });

  it("of the kitchen counts from when it should start, and is not guessed if that is unknown", () => {
    const scheduled = progress("SCHEDULED");
    expect(delayAt(SINCE + HOUR + 10_000, scheduled, SINCE + HOUR)).toBeNull();
    expect(delayAt(SINCE + HOUR + 20_000, scheduled, SINCE + HOUR)).toContain("restaurant is not answering");
    expect(delayAt(SINCE + HOUR, scheduled)).toBeNull();
  });

  it("of a driver counts from the promised arrival, which it names", () => {
    for (const status of ["WAITING_FOR_DRIVER", "IN_DELIVERY"] as const) {
      const late = progress(status, SINCE);
      expect(delayAt(SINCE + 10_000, late)).toBeNull();
      expect(delayAt(SINCE + 20_000, late)).toContain("driver is late");
      expect(delayAt(SINCE + 20_000, late)).toContain(formatClock(SINCE));
      expect(delayAt(SINCE + HOUR, progress(status))).toBeNull();
    }
  });

  it("is not reported for an order that has ended", () => {
    const ended: OrderStatus[] = ["DELIVERED", "REJECTED", "CANCELLED", "UNKNOWN"];
    for (const status of ended) expect(delayAt(SINCE + HOUR, progress(status, SINCE), SINCE)).toBeNull();
  });
});
