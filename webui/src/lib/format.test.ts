import { describe, expect, it } from "vitest";
import { formatDuration, formatMs, plural } from "./format";

describe("formatting", () => {
  it("counts down in the unit that people would use", () => {
    expect(formatDuration(-5)).toBe("0 s");
    expect(formatDuration(59_400)).toBe("59 s");
    expect(formatDuration(59_600)).toBe("1 min 00 s");
    expect(formatDuration(245_000)).toBe("4 min 05 s");
    expect(formatDuration(4_800_000)).toBe("1 h 20 min");
    expect(formatDuration(5 * 86_400_000)).toBe("5 days");
  });

  it("keeps the figures of operators short", () => {
    expect([formatMs(85.4), formatMs(4_900), formatMs(126_000)]).toEqual(["85 ms", "4.9 s", "2.1 min"]);
  });

  it("counts in words", () => {
    expect([plural(1, "dish", "dishes"), plural(0, "order")]).toEqual(["1 dish", "0 orders"]);
  });
});
