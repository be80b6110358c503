import { CITIES, type City, type Coordinates, type District } from "./bay-area";

/** A straight street. */
export interface Street {
  from: Coordinates;
  to: Coordinates;
  /** Drawn early and wide, or late and narrow. */
  rank: "main" | "side" | "lane";
}

/** How far from a city's centre streets are drawn, in degrees. */
const REACH_LON = 0.115;
const REACH_LAT = 0.095;
const METRES_PER_DEGREE = 111_320;
/** Every how many streets there is a side street; the others are lanes. */
const SIDE_EVERY = 4;

/** Metres east and north of the city's centre. */
type Local = readonly [number, number];

/** The streets of a city: a grid in each district, each at its own angle, with main streets where districts meet. */
export function streetsOf(city: City): Street[] {
  const eastScale = METRES_PER_DEGREE * Math.cos((city.centre[1] * Math.PI) / 180);
  const toLocal = ([lon, lat]: Coordinates): Local => [
    (lon - city.centre[0]) * eastScale,
    (lat - city.centre[1]) * METRES_PER_DEGREE,
  ];
  const toCoordinates = ([x, y]: Local): Coordinates => [
    city.centre[0] + x / eastScale,
    city.centre[1] + y / METRES_PER_DEGREE,
  ];
  const width = REACH_LON * eastScale;
  const height = REACH_LAT * METRES_PER_DEGREE;
  const frame: Local[] = [
    [-width, -height],
    [width, -height],
    [width, height],
    [-width, height],
  ];
  const seeds = city.districts.map((district) => toLocal(district.at));

  return city.districts.flatMap((district, n) => {
    const seed = seeds[n];
    if (seed === undefined) return [];
    const cell = cellAround(seed, seeds, frame);
    const borders = edges(cell)
      .filter(([a, b]) => !isOnFrame(a, b, width, height))
      .map(([a, b]) => ({ from: toCoordinates(a), to: toCoordinates(b), rank: "main" as const }));
    return [...gridIn(cell, seed, district, toCoordinates), ...borders];
  });
}

/** The district and city of a place; `null` far from all of them. */
export function districtAt(place: { lon: number; lat: number }): { city: string; district: string } | null {
  let nearest: { city: string; district: string } | null = null;
  // Four kilometres, squared: a place farther from the middle of every district is in none.
  let smallest = 4_000 ** 2;
  for (const city of CITIES) {
    for (const district of city.districts) {
      const east = (place.lon - district.at[0]) * METRES_PER_DEGREE * Math.cos((place.lat * Math.PI) / 180);
      const north = (place.lat - district.at[1]) * METRES_PER_DEGREE;
      const distance = east * east + north * north;
      if (distance < smallest) {
        smallest = distance;
        nearest = { city: city.name, district: district.name };
      }
    }
  }
  return nearest;
}

/** The part of the frame that is nearer to `seed` than to any other (its Voronoi cell). */
function cellAround(seed: Local, seeds: readonly Local[], frame: readonly Local[]): Local[] {
  return seeds.reduce<Local[]>(
    (cell, other) => {
      if (other === seed) return cell;
      const normal: Local = [other[0] - seed[0], other[1] - seed[1]];
      const limit = (other[0] ** 2 + other[1] ** 2 - seed[0] ** 2 - seed[1] ** 2) / 2;
      return clip(cell, normal, limit);
    },
    [...frame],
  );
}

/** The part of a convex polygon where `normal · point ≤ limit`. */
function clip(polygon: readonly Local[], normal: Local, limit: number): Local[] {
  const side = (point: Local) => normal[0] * point[0] + normal[1] * point[1] - limit;
  return edges(polygon).flatMap(([a, b]) => {
    const [atA, atB] = [side(a), side(b)];
    const kept: Local[] = atA <= 0 ? [a] : [];
    if (atA <= 0 !== atB <= 0) {
      const t = atA / (atA - atB);
      kept.push([a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t]);
    }
    return kept;
  });
}

function gridIn(
  cell: readonly Local[],
  seed: Local,
  district: District,
  toCoordinates: (point: Local) => Coordinates,
): Street[] {
  const radians = (district.turn * Math.PI) / 180;
  const along: Local = [Math.cos(radians), Math.sin(radians)];
  const across: Local = [-along[1], along[0]];
  const [width, depth] = district.block;
  return [...linesIn(cell, seed, along, across, depth), ...linesIn(cell, seed, across, along, width)].map(
    ({ from, to, n }) => ({
      from: toCoordinates(from),
      to: toCoordinates(to),
      rank: n % SIDE_EVERY === 0 ? ("side" as const) : ("lane" as const),
    }),
  );
}

/** Parallel lines in a convex polygon, `apart` metres from each other. */
function linesIn(cell: readonly Local[], seed: Local, along: Local, across: Local, apart: number) {
  const distances = cell.map((point) => (point[0] - seed[0]) * across[0] + (point[1] - seed[1]) * across[1]);
  const lines: Array<{ from: Local; to: Local; n: number }> = [];
  const last = Math.floor(Math.max(...distances) / apart);
  for (let n = Math.ceil(Math.min(...distances) / apart); n <= last; n++) {
    const origin: Local = [seed[0] + across[0] * n * apart, seed[1] + across[1] * n * apart];
    const ends = edges(cell).flatMap(([a, b]) => {
      const atA = (a[0] - origin[0]) * across[0] + (a[1] - origin[1]) * across[1];
      const atB = (b[0] - origin[0]) * across[0] + (b[1] - origin[1]) * across[1];
      if (atA <= 0 === atB <= 0) return [];
      const t = atA / (atA - atB);
      const point: Local = [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];
      return [(point[0] - origin[0]) * along[0] + (point[1] - origin[1]) * along[1]];
    });
    if (ends.length < 2) continue;
    const point = (distance: number): Local => [
      origin[0] + along[0] * distance,
      origin[1] + along[1] * distance,
    ];
    lines.push({ from: point(Math.min(...ends)), to: point(Math.max(...ends)), n: Math.abs(n) });
  }
  return lines;
}

function edges(polygon: readonly Local[]): Array<[Local, Local]> {
  return polygon.flatMap((a, n) => {
    const b = polygon[(n + 1) % polygon.length];
    return b === undefined ? [] : [[a, b] as [Local, Local]];
  });
}

function isOnFrame(a: Local, b: Local, width: number, height: number): boolean {
  const near = (value: number, limit: number) => Math.abs(Math.abs(value) - limit) < 1;
  return (near(a[0], width) && near(b[0], width)) || (near(a[1], height) && near(b[1], height));
}
