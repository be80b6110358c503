import { describe, expect, it } from "vitest";
import { cents, centsFromDollars, formatCents, sum, times, toDollars } from "./money";

describe("money", () => {
  it("reads every price up to a hundred dollars exactly", () => {
    for (let amount = 0; amount <= 10_000; amount++) {
      expect(centsFromDollars(Number((amount / 100).toFixed(2)))).toBe(amount);
    }
  });

  it("writes dollars with at most two decimals", () => {
    for (let amount = 0; amount <= 100_000; amount += 7) {
      expect(JSON.stringify(toDollars(cents(amount)))).toMatch(/^\d+(\.\d{1,2})?$/);
    }
  });

  it("adds and multiplies without losing a cent", () => {
    expect(times(cents(1495), 3)).toBe(4485);
    expect(sum([cents(10), cents(20)])).toBe(30);
    expect(toDollars(sum(Array.from({ length: 10 }, () => cents(10))))).toBe(1);
  });

  it("refuses what is not an amount", () => {
    for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 100_000_001]) {
      expect(() => cents(wrong)).toThrow(RangeError);
    }
    expect(() => centsFromDollars(1.005)).toThrow(RangeError);
  });

  it("shows dollars and cents", () => {
    expect(formatCents(cents(1250))).toBe("$12.50");
    expect(formatCents(cents(123_456))).toBe("$1,234.56");
  });
});
