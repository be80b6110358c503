import type { LonLat } from "@/types/geo";

const EARTH_RADIUS_METRES = 6_371_000;

/** The straight-line distance between two places. */
export function distanceMetres(a: LonLat, b: LonLat): number {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const dLat = radians(b.lat - a.lat);
  const dLon = radians(b.lon - a.lon);
  const h =
    Math.sin(dLat / 2) ** 2 + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_RADIUS_METRES * Math.asin(Math.sqrt(h));
}

/** `260 feet`, `1.4 miles`: San José uses miles. */
export function formatDistance(metres: number): string {
  const miles = metres / 1609.344;
  if (miles < 0.1) return `${Math.max(0, Math.round((metres * 3.28084) / 10) * 10)} feet`;
  return `${miles.toFixed(1)} miles`;
}
