/** Parts that several dishes share. Everything is seen from above, with the light from the upper left. */
import type { ReactNode } from "react";
import { ring, scatter, wobblyCircle } from "./scatter";

export function Shadow({ r = 88 }: { r?: number }) {
  return <circle cx="5" cy="8" r={r} fill="#2c1420" opacity="0.2" />;
}

export function Plate({
  r = 88,
  rim = "#e9dccb",
  children,
}: {
  r?: number;
  rim?: string;
  children?: ReactNode;
}) {
  return (
    <>
      <Shadow r={r} />
      <circle r={r} fill="#fffdf8" />
      <circle r={r - 2} fill="none" stroke={rim} strokeWidth="2.5" />
      <circle r={r - 18} fill="#faf3e8" />
      <circle r={r - 18} fill="none" stroke="#eadfce" strokeWidth="1.5" />
      {children}
    </>
  );
}

export function Bowl({
  r = 86,
  glaze,
  broth,
  children,
}: {
  r?: number;
  glaze: string;
  broth: string;
  children?: ReactNode;
}) {
  return (
    <>
      <Shadow r={r} />
      <circle r={r} fill={glaze} />
      <circle r={r - 5} fill="none" stroke="#fffdf8" strokeWidth="2.5" opacity="0.75" />
      <circle r={r - 11} fill="#fffdf8" />
      <circle r={r - 14} fill={broth} />
      <path
        d={arc(r - 18, 195, 265)}
        fill="none"
        stroke="#fff"
        strokeWidth="3"
        strokeLinecap="round"
        opacity="0.45"
      />
      {children}
    </>
  );
}

export function Leaf({ x = 0, y = 0, turn = 0, size = 1, fill = "#3c8f4f" }: LeafProps) {
  return (
    <g transform={`translate(${x} ${y}) rotate(${turn}) scale(${size})`}>
      <path d="M-13 0C-7-9 6-9 13 0C6 9-7 9-13 0Z" fill={fill} />
      <path d="M-11 0H11" stroke="#fff" strokeOpacity="0.45" strokeWidth="1.3" strokeLinecap="round" />
    </g>
  );
}

interface LeafProps {
  x?: number;
  y?: number;
  turn?: number;
  size?: number;
  fill?: string;
}

/** Mint, coriander or parsley: three leaves on one stalk. */
export function Sprig({ x, y, turn = 0, size = 1, fill = "#4aa05c" }: LeafProps & { x: number; y: number }) {
  return (
    <g transform={`translate(${x} ${y}) rotate(${turn}) scale(${size})`}>
      <path d="M0 16L0-2" stroke="#2f7a42" strokeWidth="2" strokeLinecap="round" />
      <Leaf x={-7} y={-3} turn={205} size={0.72} fill={fill} />
      <Leaf x={7} y={-3} turn={-25} size={0.72} fill={fill} />
      <Leaf x={0} y={-9} turn={-90} size={0.78} fill={fill} />
    </g>
  );
}

export function LimeWedge({
  x,
  y,
  turn = 0,
  peel = "#5fae3a",
  flesh = "#c8e588",
}: LeafProps & { x: number; y: number; peel?: string; flesh?: string }) {
  return (
    <g transform={`translate(${x} ${y}) rotate(${turn})`}>
      <path d="M-17 0A17 17 0 0 1 17 0Z" fill={peel} />
      <path d="M-14-1A14 14 0 0 1 14-1Z" fill="#f5fbdc" />
      <path
        d="M-12-1.5A12 12 0 0 1-6.6-10L-1-1.5ZM-5.4-11A12 12 0 0 1 5.4-11L0-2.5ZM6.6-10A12 12 0 0 1 12-1.5H1Z"
        fill={flesh}
      />
    </g>
  );
}

export function CitrusSlice({
  x,
  y,
  r = 18,
  peel = "#f2c230",
  flesh = "#fbe38a",
}: {
  x: number;
  y: number;
  r?: number;
  peel?: string;
  flesh?: string;
}) {
  return (
    <g transform={`translate(${x} ${y}) rotate(14)`}>
      <circle r={r} fill={peel} />
      <circle r={r * 0.86} fill="#fffbe9" />
      {ring(8, r * 0.45).map(({ x: cx, y: cy, angle }) => (
        <ellipse
          key={angle}
          cx={cx}
          cy={cy}
          rx={r * 0.31}
          ry={r * 0.145}
          transform={`rotate(${angle} ${cx} ${cy})`}
          fill={flesh}
        />
      ))}
    </g>
  );
}

/** A heap of noodles: strands that turn around each other. */
export function Noodles({
  r,
  colours,
  seed = 1,
  strands = 13,
}: {
  r: number;
  colours: readonly [string, string];
  seed?: number;
  strands?: number;
}) {
  return (
    <>
      <path d={wobblyCircle(r, 3, seed)} fill={colours[1]} />
      {Array.from({ length: strands }, (_, n) => {
        const turn = n * 137.5 + seed * 31;
        const radius = r * (0.3 + 0.62 * ((n * 0.618) % 1));
        return (
          <path
            key={turn}
            d={arc(radius, turn, turn + 120 + ((n * 47) % 90))}
            fill="none"
            stroke={n % 3 === 0 ? colours[1] : colours[0]}
            strokeWidth={r * 0.1}
            strokeLinecap="round"
          />
        );
      })}
      {Array.from({ length: strands }, (_, n) => {
        const turn = n * 97 + seed * 17;
        return (
          <path
            key={turn}
            d={arc(r * (0.2 + 0.7 * ((n * 0.38) % 1)), turn, turn + 60)}
            fill="none"
            stroke="#6d4a17"
            strokeOpacity="0.13"
            strokeWidth="1.2"
          />
        );
      })}
    </>
  );
}

/** Small scattered things: herbs, pepper, crumbs. */
export function Strewn({ count, radius, apart = 6, seed, size, fill, x = 0, y = 0 }: StrewnProps) {
  return (
    <g transform={`translate(${x} ${y})`}>
      {scatter(count, radius, apart, seed).map((point, n) => (
        <circle
          key={`${point.x},${point.y}`}
          cx={point.x}
          cy={point.y}
          r={size * (0.75 + ((n * 0.37) % 0.5))}
          fill={fill}
        />
      ))}
    </g>
  );
}

interface StrewnProps {
  count: number;
  radius: number;
  apart?: number;
  seed: number;
  size: number;
  fill: string;
  x?: number;
  y?: number;
}

/** Rings of spring onion or chilli. */
export function Rings({
  count,
  radius,
  seed,
  size = 4,
  stroke,
}: {
  count: number;
  radius: number;
  seed: number;
  size?: number;
  stroke: string;
}) {
  return (
    <>
      {scatter(count, radius, size * 2.6, seed).map((point) => (
        <circle
          key={`${point.x},${point.y}`}
          cx={point.x}
          cy={point.y}
          r={size}
          fill="#fff"
          fillOpacity="0.35"
          stroke={stroke}
          strokeWidth={size * 0.55}
        />
      ))}
    </>
  );
}

/** A glass on its coaster. */
export function Glass({
  liquid,
  deep,
  coaster,
  children,
}: {
  liquid: string;
  deep: string;
  coaster: string;
  children?: ReactNode;
}) {
  return (
    <>
      <circle cx="4" cy="6" r="80" fill="#2c1420" opacity="0.18" />
      <circle r="80" fill={coaster} />
      {ring(24, 72).map(({ x, y, angle }) => (
        <circle key={angle} cx={x} cy={y} r="3" fill="#fff" opacity="0.6" />
      ))}
      <circle cx="5" cy="8" r="60" fill="#2c1420" opacity="0.2" />
      <circle r="60" fill="#e8f1f2" />
      <circle r="55" fill={deep} />
      <circle cx="-2" cy="-2" r="51" fill={liquid} />
      {children}
      <circle r="57.5" fill="none" stroke="#fff" strokeWidth="5" opacity="0.7" />
      <path d={arc(57.5, 200, 250)} fill="none" stroke="#fff" strokeWidth="5" strokeLinecap="round" />
    </>
  );
}

export function IceCube({ x, y, turn, size = 20 }: { x: number; y: number; turn: number; size?: number }) {
  return (
    <g transform={`translate(${x} ${y}) rotate(${turn})`}>
      <rect x={-size / 2} y={-size / 2} width={size} height={size} rx="5" fill="#fff" opacity="0.5" />
      <rect
        x={-size / 2 + 3}
        y={-size / 2 + 3}
        width={size * 0.5}
        height={size * 0.32}
        rx="3"
        fill="#fff"
        opacity="0.65"
      />
    </g>
  );
}

export function Straw({
  from,
  to,
  colour,
}: {
  from: readonly [number, number];
  to: readonly [number, number];
  colour: string;
}) {
  const d = `M${from[0]} ${from[1]}L${to[0]} ${to[1]}`;
  return (
    <>
      <path
        d={d}
        transform="translate(3 5)"
        stroke="#2c1420"
        strokeOpacity="0.2"
        strokeWidth="9"
        strokeLinecap="round"
      />
      <path d={d} stroke="#fffdf8" strokeWidth="9" strokeLinecap="round" />
      <path d={d} stroke={colour} strokeWidth="9" strokeDasharray="7 7" />
    </>
  );
}

export function Chopsticks({ x, turn = 0 }: { x: number; turn?: number }) {
  return (
    <g transform={`translate(${x} 0) rotate(${turn})`}>
      {[-5, 6].map((shift) => (
        <g key={shift}>
          <path
            d={`M${shift + 3}-88L${shift + 4} 96`}
            stroke="#2c1420"
            strokeOpacity="0.18"
            strokeWidth="6"
            strokeLinecap="round"
          />
          <path d={`M${shift}-92L${shift} 92`} stroke="#8c3b2a" strokeWidth="5" strokeLinecap="round" />
          <path d={`M${shift}-92L${shift}-52`} stroke="#e7b65a" strokeWidth="5" strokeLinecap="round" />
        </g>
      ))}
    </g>
  );
}

export function SauceBowl({
  x,
  y,
  r = 24,
  sauce,
  children,
}: {
  x: number;
  y: number;
  r?: number;
  sauce: string;
  children?: ReactNode;
}) {
  return (
    <g transform={`translate(${x} ${y})`}>
      <circle cx="2" cy="4" r={r} fill="#2c1420" opacity="0.2" />
      <circle r={r} fill="#fffdf8" />
      <circle r={r - 4} fill={sauce} />
      <path
        d={arc(r - 7, 200, 260)}
        fill="none"
        stroke="#fff"
        strokeWidth="2.5"
        strokeLinecap="round"
        opacity="0.6"
      />
      {children}
    </g>
  );
}

/** An arc around the origin, angles in degrees clockwise from the right. */
export function arc(radius: number, from: number, to: number): string {
  const point = (angle: number) => {
    const radians = (angle * Math.PI) / 180;
    return `${(Math.cos(radians) * radius).toFixed(1)} ${(Math.sin(radians) * radius).toFixed(1)}`;
  };
  return `M${point(from)}A${radius} ${radius} 0 ${to - from > 180 ? 1 : 0} 1 ${point(to)}`;
}
