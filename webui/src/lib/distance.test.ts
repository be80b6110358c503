import { describe, expect, it } from "vitest";
import { distanceMetres, formatDistance } from "./distance";

describe("a distance", () => {
  it("is that between the places", () => {
    const downtown = { lon: -121.8863, lat: 37.3382 };
    expect(distanceMetres(downtown, downtown)).toBe(0);
    expect(distanceMetres(downtown, { lon: -121.8863, lat: 37.3482 })).toBeCloseTo(1112, 0);
  });

  it("is given in the units of the place", () => {
    expect([formatDistance(80), formatDistance(2_253)]).toEqual(["260 feet", "1.4 miles"]);
  });
});
