import L from "leaflet";
import type { Scheme } from "@/lib/theme";
import {
  CITIES,
  type Coordinates,
  FREEWAYS,
  ISLANDS,
  PARKS,
  PLACE_NAMES,
  RIVERS,
  RUNWAYS,
  WATER,
} from "./bay-area";
import { type Street, streetsOf } from "./streets";

const TILE = 256;
const FONT = '"Hanken Grotesk Variable", system-ui, sans-serif';

interface Palette {
  land: string;
  water: string;
  park: string;
  lane: string;
  side: string;
  main: string;
  casing: string;
  freeway: string;
  freewayCasing: string;
  runway: string;
  text: string;
  halo: string;
  waterText: string;
  shield: string;
  shieldText: string;
}

const PALETTES: Record<Scheme, Palette> = {
  light: {
    land: "#f7efe2",
    water: "#b5d9e6",
    park: "#d3e6bf",
    lane: "#fffdf9",
    side: "#ffffff",
    main: "#ffffff",
    casing: "#e6d6c2",
    freeway: "#f9cf7c",
    freewayCasing: "#dfa44a",
    runway: "#ddd2cb",
    text: "#6b5059",
    halo: "#fdf8f0",
    waterText: "#3f7389",
    shield: "#fffaf0",
    shieldText: "#7a4c08",
  },
  dark: {
    land: "#2d1e27",
    water: "#17344a",
    park: "#27402a",
    lane: "#3b2a35",
    side: "#46323f",
    main: "#5a4250",
    casing: "#241720",
    freeway: "#93692a",
    freewayCasing: "#33210f",
    runway: "#463842",
    text: "#c8adb4",
    halo: "#1f131a",
    waterText: "#7ba8c4",
    shield: "#3a2815",
    shieldText: "#ffc554",
  },
};

/** The width of streets, in pixels, by zoom. */
const LANE_WIDTHS: Record<number, number> = { 13: 0.8, 14: 1.5, 15: 3, 16: 5 };
const SIDE_WIDTHS: Record<number, number> = { 12: 0.9, 13: 1.6, 14: 3, 15: 5, 16: 8 };
const MAIN_WIDTHS: Record<number, number> = { 11: 1.1, 12: 2.2, 13: 3.5, 14: 5.5, 15: 8, 16: 12 };

/** A place in the world's square, from 0 to 1 (Web Mercator). */
type World = readonly [number, number];

interface Shape {
  points: readonly World[];
  /** West, north, east, south. */
  bounds: readonly [number, number, number, number];
}

interface Label {
  text: string;
  at: World;
}

/** The whole drawing, projected once for all maps on the page. */
interface Drawing {
  water: Shape[];
  islands: Shape[];
  parks: Shape[];
  rivers: Shape[];
  runways: Shape[];
  freeways: Shape[];
  streets: Record<Street["rank"], Shape[]>;
  districts: Label[];
  cities: Label[];
  towns: Label[];
  waters: Label[];
  shields: Label[];
}

let drawing: Drawing | undefined;

function draw(): Drawing {
  const streets = CITIES.flatMap(streetsOf);
  const ranked = (rank: Street["rank"]) =>
    streets.filter((street) => street.rank === rank).map(({ from, to }) => shape([from, to]));
  const names = (kind: "water" | "town") =>
    PLACE_NAMES.filter((place) => place.kind === kind).map(({ name, at }) => ({
      text: name,
      at: project(at),
    }));
  return {
    water: WATER.map(shape),
    islands: ISLANDS.map(shape),
    parks: PARKS.map(shape),
    rivers: RIVERS.map(shape),
    runways: RUNWAYS.map(shape),
    freeways: FREEWAYS.map(({ path }) => shape(path)),
    streets: { main: ranked("main"), side: ranked("side"), lane: ranked("lane") },
    districts: CITIES.flatMap((city) =>
      city.districts.map(({ name, at }) => ({ text: name, at: project(at) })),
    ),
    cities: CITIES.map(({ name, centre }) => ({ text: name, at: project(centre) })),
    towns: names("town"),
    waters: names("water"),
    shields: FREEWAYS.flatMap(({ name, path }) => shieldsAlong(name, path)),
  };
}

/** Draws the land as tiles, in the colours of the scheme, without sending requests. */
export class CanvasBaseLayer extends L.GridLayer {
  #palette: Palette;

  constructor(scheme: Scheme) {
    super({ tileSize: TILE, maxZoom: 18, attribution: "Map drawn for Tiffin, not to scale" });
    this.#palette = PALETTES[scheme];
    drawing ??= draw();
  }

  setScheme(scheme: Scheme): void {
    if (this.#palette === PALETTES[scheme]) return;
    this.#palette = PALETTES[scheme];
    this.redraw();
  }

  override createTile({ x, y, z }: L.Coords): HTMLElement {
    const tile = document.createElement("canvas");
    const density = Math.min(window.devicePixelRatio || 1, 2);
    tile.width = TILE * density;
    tile.height = TILE * density;
    const context = tile.getContext("2d");
    if (context && drawing) {
      context.scale(density, density);
      new TilePainter(context, this.#palette, x, y, z).paint(drawing);
    }
    return tile;
  }
}

class TilePainter {
  readonly #context: CanvasRenderingContext2D;
  readonly #palette: Palette;
  readonly #zoom: number;
  readonly #scale: number;
  readonly #left: number;
  readonly #top: number;

  constructor(context: CanvasRenderingContext2D, palette: Palette, x: number, y: number, zoom: number) {
    this.#context = context;
    this.#palette = palette;
    this.#zoom = zoom;
    this.#scale = TILE * 2 ** zoom;
    this.#left = x * TILE;
    this.#top = y * TILE;
  }

  paint(land: Drawing): void {
    const zoom = this.#zoom;
    const p = this.#palette;
    this.#context.fillStyle = p.land;
    this.#context.fillRect(0, 0, TILE, TILE);
    this.#context.lineJoin = "round";
    this.#context.lineCap = "round";
    this.#fill(land.parks, p.park);
    if (zoom >= 13) this.#stroke(land.streets.lane, p.lane, LANE_WIDTHS[Math.min(zoom, 16)] ?? 0);
    if (zoom >= 12) this.#stroke(land.streets.side, p.side, SIDE_WIDTHS[Math.min(zoom, 16)] ?? 0);
    // In parks, a path or two of the grid, but no streets.
    this.#context.globalAlpha = 0.82;
    this.#fill(land.parks, p.park);
    this.#context.globalAlpha = 1;
    if (zoom >= 11) {
      const width = MAIN_WIDTHS[Math.min(zoom, 16)] ?? 0;
      this.#stroke(land.streets.main, p.casing, width + 2);
      this.#stroke(land.streets.main, p.main, width);
    }
    this.#stroke(land.rivers, p.water, zoom >= 15 ? 7 : zoom >= 13 ? 4 : 2);
    this.#fill(land.water, p.water);
    this.#fill(land.islands, p.land);
    if (zoom >= 12) this.#stroke(land.runways, p.runway, zoom >= 14 ? 14 : 6);
    const freeway = zoom >= 15 ? 11 : zoom >= 14 ? 8 : zoom >= 13 ? 6 : zoom >= 11 ? 3.4 : 2;
    this.#stroke(land.freeways, p.freewayCasing, freeway + 2);
    this.#stroke(land.freeways, p.freeway, freeway);
    if (zoom >= 12 && zoom <= 15) for (const label of land.shields) this.#shield(label);
    if (zoom >= 12)
      for (const label of land.districts)
        this.#write(label, zoom >= 15 ? 14 : zoom >= 13 ? 12 : 11, 600, p.text);
    else for (const label of land.cities) this.#write(label, zoom >= 11 ? 17 : 14, 750, p.text);
    if (zoom >= 10 && zoom <= 13) for (const label of land.towns) this.#write(label, 12, 600, p.text);
    if (zoom <= 14) for (const label of land.waters) this.#write(label, 13, 500, p.waterText, "italic ");
  }

  #x = (at: World): number => at[0] * this.#scale - this.#left;
  #y = (at: World): number => at[1] * this.#scale - this.#top;

  #isNear({ bounds: [west, north, east, south] }: Shape, margin: number): boolean {
    return (
      east * this.#scale >= this.#left - margin &&
      west * this.#scale <= this.#left + TILE + margin &&
      south * this.#scale >= this.#top - margin &&
      north * this.#scale <= this.#top + TILE + margin
    );
  }

  #trace(shapes: readonly Shape[], margin: number, isClosed: boolean): void {
    this.#context.beginPath();
    for (const it of shapes) {
      if (!this.#isNear(it, margin)) continue;
      it.points.forEach((point, n) => {
        if (n === 0) this.#context.moveTo(this.#x(point), this.#y(point));
        else this.#context.lineTo(this.#x(point), this.#y(point));
      });
      if (isClosed) this.#context.closePath();
    }
  }

  #fill(shapes: readonly Shape[], colour: string): void {
    this.#trace(shapes, 2, true);
    this.#context.fillStyle = colour;
    this.#context.fill();
  }

  #stroke(shapes: readonly Shape[], colour: string, width: number): void {
    this.#trace(shapes, width, false);
    this.#context.strokeStyle = colour;
    this.#context.lineWidth = width;
    this.#context.stroke();
  }

  #write({ text, at }: Label, size: number, weight: number, colour: string, style = ""): void {
    const [x, y] = [this.#x(at), this.#y(at)];
    const half = (text.length * size) / 2;
    if (x < -half || x > TILE + half || y < -size || y > TILE + size) return;
    const context = this.#context;
    context.font = `${style}${weight} ${size}px ${FONT}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.strokeStyle = this.#palette.halo;
    context.lineWidth = 4;
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }

  #shield({ text, at }: Label): void {
    const [x, y] = [this.#x(at), this.#y(at)];
    if (x < -24 || x > TILE + 24 || y < -16 || y > TILE + 16) return;
    const context = this.#context;
    const width = 10 + text.length * 7;
    context.beginPath();
    context.roundRect(x - width / 2, y - 8, width, 16, 5);
    context.fillStyle = this.#palette.shield;
    context.fill();
    context.strokeStyle = this.#palette.freewayCasing;
    context.lineWidth = 1.2;
    context.stroke();
    context.font = `700 10px ${FONT}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillStyle = this.#palette.shieldText;
    context.fillText(text, x, y + 0.5);
  }
}

/** The distance between two numbers along a freeway, in degrees of longitude. */
const SHIELD_EVERY = 0.05;

function shieldsAlong(name: string, path: readonly Coordinates[]): Label[] {
  if (name === "") return [];
  const labels: Label[] = [];
  let sinceLast = SHIELD_EVERY / 2;
  path.slice(0, -1).forEach((a, n) => {
    const b = path[n + 1];
    if (b === undefined) return;
    const length = Math.hypot(b[0] - a[0], b[1] - a[1]);
    sinceLast += length;
    if (sinceLast < SHIELD_EVERY) return;
    sinceLast = 0;
    labels.push({ text: name, at: project([(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]) });
  });
  return labels;
}

function shape(path: readonly Coordinates[]): Shape {
  const points = path.map(project);
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  return { points, bounds: [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] };
}

function project([lon, lat]: Coordinates): World {
  const sine = Math.sin((lat * Math.PI) / 180);
  return [lon / 360 + 0.5, 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)];
}
