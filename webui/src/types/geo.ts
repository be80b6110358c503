/** A place in degrees (WGS 84). */
export interface LonLat {
  lon: number;
  lat: number;
}

/** The map's default centre: the middle of San Jose. */
export const SAN_JOSE: LonLat = { lon: -121.8863, lat: 37.3382 };

/** Half the width and height of a delivery region, in degrees. */
export const REGION_HALF_EXTENT = 0.0675;

/** Whether a place lies in the region around `centre`. */
export function isInRegion(place: LonLat, centre: LonLat = SAN_JOSE): boolean {
  return (
    Math.abs(place.lon - centre.lon) <= REGION_HALF_EXTENT &&
    Math.abs(place.lat - centre.lat) <= REGION_HALF_EXTENT
  );
}
