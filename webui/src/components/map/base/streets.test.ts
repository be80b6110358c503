import { describe, expect, it } from "vitest";
import { CITIES } from "./bay-area";
import { districtAt, streetsOf } from "./streets";

describe("the street grid", () => {
  it("covers every city with main streets, side streets and lanes", () => {
    for (const city of CITIES) {
      const streets = streetsOf(city);
      for (const rank of ["main", "side", "lane"] as const) {
        expect(streets.filter((street) => street.rank === rank).length).toBeGreaterThan(20);
      }
      expect(streets.length).toBeLessThan(4_000);
    }
  });

  it("stays within reach of the city", () => {
    for (const city of CITIES) {
      for (const { from, to } of streetsOf(city)) {
        for (const [lon, lat] of [from, to]) {
          expect(Math.abs(lon - city.centre[0])).toBeLessThanOrEqual(0.1151);
          expect(Math.abs(lat - city.centre[1])).toBeLessThanOrEqual(0.0951);
        }
      }
    }
  });

  it("is the same every time", () => {
    const [city] = CITIES;
    if (city) expect(streetsOf(city)).toEqual(streetsOf(city));
  });
});

describe("a place on the map", () => {
  it("is named after the district around it", () => {
    expect(districtAt({ lon: -121.8866, lat: 37.3352 })).toEqual({ city: "San José", district: "Downtown" });
    expect(districtAt({ lon: -122.4194, lat: 37.7599 })).toEqual({
      city: "San Francisco",
      district: "Mission",
    });
  });

  it("has no name far from any city", () => {
    expect(districtAt({ lon: -123.2, lat: 37.3 })).toBeNull();
  });
});
