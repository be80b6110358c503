/** A point in a picture. */
export interface Point {
  x: number;
  y: number;
}

/** Random numbers from 0 to 1 that are the same every time. */
export function randomFrom(seed: number): () => number {
  let state = seed * 0x9e3779b1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Up to `count` points in a circle around the origin, at least `apart` from each other. */
export function scatter(count: number, radius: number, apart: number, seed: number): Point[] {
  const random = randomFrom(seed);
  const points: Point[] = [];
  for (let tries = 0; points.length < count && tries < count * 40; tries++) {
    const angle = random() * 2 * Math.PI;
    const distance = Math.sqrt(random()) * radius;
    const point = { x: round(Math.cos(angle) * distance), y: round(Math.sin(angle) * distance) };
    if (points.every((other) => Math.hypot(other.x - point.x, other.y - point.y) >= apart))
      points.push(point);
  }
  return points;
}

/** `count` points evenly on a circle. */
export function ring(count: number, radius: number, turn = 0): Array<Point & { angle: number }> {
  return Array.from({ length: count }, (_, n) => {
    const angle = turn + (n * 360) / count;
    const radians = (angle * Math.PI) / 180;
    return { x: round(Math.cos(radians) * radius), y: round(Math.sin(radians) * radius), angle };
  });
}

/** A closed, slightly uneven outline around the origin, as of something made by hand. */
export function wobblyCircle(radius: number, unevenness: number, seed: number): string {
  const random = randomFrom(seed);
  const steps = 14;
  const points = Array.from({ length: steps }, (_, n) => {
    const angle = (n * 2 * Math.PI) / steps;
    const r = radius + (random() - 0.5) * 2 * unevenness;
    return { x: Math.cos(angle) * r, y: Math.sin(angle) * r };
  });
  const middle = (a: Point, b: Point) => `${round((a.x + b.x) / 2)} ${round((a.y + b.y) / 2)}`;
  const at = (n: number): Point => points[n % steps] ?? { x: 0, y: 0 };
  const curves = points.map((point, n) => `Q${round(point.x)} ${round(point.y)} ${middle(point, at(n + 1))}`);
  return `M${middle(at(steps - 1), at(0))}${curves.join("")}Z`;
}

const round = (n: number): number => Math.round(n * 10) / 10;
