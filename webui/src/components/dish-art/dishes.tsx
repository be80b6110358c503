/** The pictures of the dishes, each drawn around the origin on a field of 200 by 200. */
import type { ReactNode } from "react";
import {
  arc,
  Bowl,
  Chopsticks,
  CitrusSlice,
  Glass,
  IceCube,
  Leaf,
  LimeWedge,
  Noodles,
  Plate,
  Rings,
  SauceBowl,
  Shadow,
  Sprig,
  Straw,
  Strewn,
} from "./parts";
import { randomFrom, ring, scatter, wobblyCircle } from "./scatter";

function Pizza({ children }: { children: ReactNode }) {
  return (
    <>
      <Shadow r={88} />
      <path d={wobblyCircle(88, 2.5, 3)} fill="#c98440" />
      <path d={wobblyCircle(86, 2.5, 5)} fill="#e3a85b" />
      {scatter(16, 80, 14, 11)
        .filter((point) => Math.hypot(point.x, point.y) > 62)
        .map((point) => (
          <ellipse
            key={`${point.x},${point.y}`}
            cx={point.x}
            cy={point.y}
            rx="6"
            ry="4"
            fill="#b26a2d"
            opacity="0.55"
          />
        ))}
      <path d={wobblyCircle(72, 2, 7)} fill="#c93a22" />
      <path d={wobblyCircle(69, 3, 9)} fill="#f1b94a" />
      {scatter(15, 58, 22, 21).map((point, n) => (
        <path
          key={`${point.x},${point.y}`}
          d={wobblyCircle(9 + (n % 4) * 2, 2, n + 2)}
          transform={`translate(${point.x} ${point.y})`}
          fill={n % 2 === 0 ? "#dd5a2b" : "#f8d27a"}
        />
      ))}
      {children}
      {ring(4, 78).map(({ angle, x, y }) => (
        <path
          key={angle}
          d={`M${x} ${y}L${-x} ${-y}`}
          transform={`rotate(22)`}
          stroke="#8d3d14"
          strokeOpacity="0.28"
          strokeWidth="1.6"
        />
      ))}
    </>
  );
}

function Margherita() {
  return (
    <Pizza>
      {scatter(8, 52, 30, 4).map((point, n) => (
        <g key={`${point.x},${point.y}`} transform={`translate(${point.x} ${point.y})`}>
          <path d={wobblyCircle(12 + (n % 3), 2, n + 4)} fill="#fff8e8" />
          <path d={wobblyCircle(7, 1.5, n + 8)} fill="#fffdf6" />
        </g>
      ))}
      <Leaf x={-20} y={-26} turn={30} size={1.15} />
      <Leaf x={-4} y={-18} turn={-50} size={1} fill="#4aa05c" />
      <Leaf x={32} y={-8} turn={70} size={1.1} />
      <Leaf x={20} y={34} turn={-20} size={1.15} fill="#4aa05c" />
      <Leaf x={-34} y={22} turn={110} size={1.05} />
      <Leaf x={-2} y={14} turn={15} size={0.9} />
    </Pizza>
  );
}

function Diavola() {
  return (
    <Pizza>
      {[...ring(7, 47, 12), { x: 3, y: -4, angle: 400 }, { x: -20, y: 14, angle: 401 }].map(
        ({ x, y, angle }, n) => (
          <g key={angle} transform={`translate(${x} ${y})`}>
            <circle cx="1.5" cy="2.5" r="14.5" fill="#7a1a0e" opacity="0.35" />
            <circle r="14" fill="#a92a1c" />
            <circle r="11.5" fill="#c4402c" />
            {scatter(5, 8, 5, n + 3).map((fat) => (
              <circle key={`${fat.x},${fat.y}`} cx={fat.x} cy={fat.y} r="1.6" fill="#f0b9a0" />
            ))}
          </g>
        ),
      )}
      <Rings count={9} radius={60} seed={19} size={3.4} stroke="#d3201a" />
      <Strewn count={14} radius={60} seed={8} size={1.5} fill="#37702f" />
    </Pizza>
  );
}

function CacioEPepe() {
  return (
    <Plate rim="#d9a441">
      <circle r="58" fill="#f4e3b4" opacity="0.7" />
      <Noodles r={50} colours={["#f7dd9a", "#e6bd68"]} seed={4} strands={16} />
      <Strewn count={36} radius={54} apart={5} seed={6} size={1.5} fill="#2c1420" />
      <Strewn count={16} radius={34} apart={7} seed={16} size={2.6} fill="#fffaf0" />
    </Plate>
  );
}

function Lasagne() {
  return (
    <Plate rim="#c93a22">
      <g transform="rotate(-14)">
        <path d="M-52-34H52Q57-34 57-29V38Q57 44 51 44H-50Q-57 44-57 37V-29Q-57-34-52-34Z" fill="#8a2a17" />
        <path d="M-55 30C-40 38-25 29-10 36S25 30 55 35V40Q54 44 50 44H-50Q-56 44-56 38Z" fill="#f6dfae" />
        <path d="M-57 24C-42 30-24 22-8 28S30 22 57 27V33C30 29 20 37-6 33S-40 36-57 32Z" fill="#b83a20" />
        <rect x="-57" y="-40" width="114" height="66" rx="9" fill="#efb348" />
        <path d="M-50-34H48V-6C30-2 22-12 4-8S-34-4-50-10Z" fill="#f8d384" />
        {scatter(12, 46, 15, 14)
          .filter((point) => Math.abs(point.y) < 28)
          .map((point, n) => (
            <ellipse
              key={`${point.x},${point.y}`}
              cx={point.x}
              cy={point.y - 7}
              rx={5 + (n % 4)}
              ry={3 + (n % 3)}
              fill="#c5702a"
              opacity="0.75"
            />
          ))}
        <path
          d="M-46-2C-30 6-20-4-4 2S26 10 46 2"
          fill="none"
          stroke="#c93a22"
          strokeWidth="6"
          strokeLinecap="round"
          opacity="0.75"
        />
        <Sprig x={16} y={-12} turn={24} size={1.2} />
      </g>
      <Strewn count={7} radius={66} apart={20} seed={33} size={1.8} fill="#4aa05c" />
    </Plate>
  );
}

function Tiramisu() {
  return (
    <Plate rim="#8a5a3c">
      <g transform="rotate(12)">
        <rect x="-42" y="-32" width="88" height="80" rx="8" fill="#2c1420" opacity="0.14" />
        <rect x="-45" y="-12" width="90" height="54" rx="8" fill="#f7e7c9" />
        <path d="M-45 26H45" stroke="#b98552" strokeWidth="7" />
        <path d="M-45 15H45" stroke="#d9ab76" strokeWidth="3" />
        <rect x="-45" y="-42" width="90" height="60" rx="8" fill="#6b3f2a" />
        <rect x="-45" y="-42" width="90" height="60" rx="8" fill="#53301f" opacity="0.35" />
        {[-30, -10, 10, 30].map((x) =>
          [-30, -12, 6].map((y) => <circle key={`${x},${y}`} cx={x} cy={y} r="9.2" fill="#7b4a32" />),
        )}
        {[-30, -10, 10, 30].map((x) =>
          [-30, -12, 6].map((y) => <circle key={`${x},${y}`} cx={x - 2} cy={y - 3} r="4.6" fill="#92614a" />),
        )}
        <Strewn count={26} radius={38} apart={5} seed={3} size={1.1} fill="#3a1f14" y={-12} />
      </g>
      <Sprig x={36} y={-34} turn={30} size={1.25} />
      <Strewn count={22} radius={64} apart={8} seed={41} size={1.2} fill="#6b3f2a" />
    </Plate>
  );
}

function Limonata() {
  return (
    <Glass liquid="#fdf0a8" deep="#f0d766" coaster="#c93a22">
      <IceCube x={-22} y={-12} turn={18} />
      <IceCube x={14} y={22} turn={-24} />
      <CitrusSlice x={16} y={-16} r={23} />
      <CitrusSlice x={-20} y={24} r={16} />
      <Sprig x={-8} y={2} turn={-30} size={1.2} />
      <Strewn count={12} radius={44} apart={9} seed={5} size={2} fill="#ffffff" />
      <Straw from={[-6, 14]} to={[64, 78]} colour="#c93a22" />
    </Glass>
  );
}

function Pho({ children }: { children: ReactNode }) {
  return (
    <>
      <g transform="translate(-8 0)">
        <Bowl glaze="#1f4e79" broth="#c98a3e">
          {ring(18, 82).map(({ x, y, angle }) => (
            <circle key={angle} cx={x} cy={y} r="2" fill="#fffdf8" opacity="0.9" />
          ))}
          <circle r="70" fill="#dca356" opacity="0.55" />
          <g transform="translate(-16 14)">
            <Noodles r={44} colours={["#fff7e6", "#eddcbb"]} seed={7} strands={15} />
          </g>
          {children}
          <Rings count={11} radius={58} seed={12} size={3.4} stroke="#4aa05c" />
          <Strewn count={9} radius={62} apart={12} seed={40} size={3.2} fill="#f3cf8a" />
          <LimeWedge x={-44} y={-36} turn={-38} />
        </Bowl>
      </g>
      <Chopsticks x={86} turn={7} />
    </>
  );
}

function PhoBo() {
  return (
    <Pho>
      {[
        [24, -34, 20],
        [44, -10, 66],
        [14, -10, -12],
        [34, 22, 110],
      ].map(([x = 0, y = 0, turn = 0]) => (
        <g key={turn} transform={`translate(${x} ${y}) rotate(${turn})`}>
          <path d="M-22-5C-14-15 8-15 21-8C26 2 14 13-2 12C-16 12-26 6-22-5Z" fill="#8d4a3a" />
          <path d="M-18-4C-10-12 8-11 17-6C20 1 10 9-2 8C-13 8-21 4-18-4Z" fill="#b56c58" />
          <path
            d="M-13-1C-4-6 5-4 13-3"
            fill="none"
            stroke="#e2ab97"
            strokeWidth="2.4"
            strokeLinecap="round"
          />
        </g>
      ))}
      <Sprig x={-4} y={-42} turn={-12} size={1.2} />
      <Sprig x={-36} y={2} turn={70} size={1.05} />
    </Pho>
  );
}

function PhoChay() {
  return (
    <Pho>
      {[
        [30, -30, 12],
        [46, -2, 40],
        [16, -8, -16],
      ].map(([x = 0, y = 0, turn = 0]) => (
        <g key={turn} transform={`translate(${x} ${y}) rotate(${turn})`}>
          <rect x="-13" y="-11" width="27" height="24" rx="4" fill="#c99a52" />
          <rect x="-13" y="-13" width="26" height="23" rx="4" fill="#f7e6c0" />
          <rect x="-13" y="-13" width="26" height="23" rx="4" fill="none" stroke="#dcb878" strokeWidth="2" />
        </g>
      ))}
      {[
        [34, 32, 0],
        [6, 40, 40],
        [54, 22, -30],
      ].map(([x = 0, y = 0, turn = 0]) => (
        <g key={turn} transform={`translate(${x} ${y}) rotate(${turn})`}>
          <path d="M-14 2C-14-12 14-12 14 2C14 5 6 5 5 4V14H-5V4C-6 5-14 5-14 2Z" fill="#8a6242" />
          <path d="M-10 0C-9-8 9-8 10 0Z" fill="#b08460" />
        </g>
      ))}
      <Sprig x={-6} y={-44} turn={-10} size={1.25} />
      <Sprig x={-42} y={4} turn={64} size={1.05} />
    </Pho>
  );
}

function BanhMi() {
  const fillings = randomFrom(5);
  return (
    <g transform="rotate(-28)">
      <rect
        x="-90"
        y="-52"
        width="182"
        height="112"
        rx="6"
        fill="#2c1420"
        opacity="0.16"
        transform="translate(4 6)"
      />
      <rect x="-90" y="-52" width="182" height="112" rx="6" fill="#fffdf8" />
      {[-70, -42, -14, 14, 42, 70].map((x) => (
        <path key={x} d={`M${x}-52V60`} stroke="#e9dccb" strokeWidth="3" />
      ))}
      <path
        d="M-84 14C-84 38-50 46 0 46S84 38 84 14Z"
        fill="#2c1420"
        opacity="0.15"
        transform="translate(3 5)"
      />
      <path d="M-86 2C-86 34-52 42 0 42S86 34 86 2C86-4 80-6 70-6H-70C-80-6-86-4-86 2Z" fill="#d1893f" />
      <path d="M-78-12C-60-22-48-10-34-17S-6-10 8-17S36-10 50-17S72-14 80-8L78 14H-78Z" fill="#66ad4b" />
      <path d="M-72-4C-40-10 40-12 74-3L70 12H-70Z" fill="#c9705f" />
      {Array.from({ length: 15 }, (_, n) => {
        const x = -66 + n * 9.4;
        const tilt = (fillings() - 0.5) * 16;
        return (
          <path
            key={x}
            d={`M${x} ${-10 + (n % 3) * 3}L${x + tilt} 10`}
            stroke={n % 3 === 0 ? "#fff4e0" : "#f28a2c"}
            strokeWidth="4.5"
            strokeLinecap="round"
          />
        );
      })}
      <path
        d="M-84-20C-82-44-48-50 0-50S82-44 84-20C84-12 76-10 66-12C30-18-30-18-66-12C-76-10-84-12-84-20Z"
        fill="#e3a352"
        transform="translate(0 -2)"
      />
      <path
        d="M-70-30C-50-44 44-46 70-30"
        fill="none"
        stroke="#f3c98a"
        strokeWidth="6"
        strokeLinecap="round"
      />
      {[-44, -8, 28].map((x) => (
        <path
          key={x}
          d={`M${x}-46L${x + 20}-22`}
          stroke="#b9742f"
          strokeWidth="4"
          strokeLinecap="round"
          opacity="0.75"
        />
      ))}
      <Sprig x={-30} y={2} turn={-70} size={0.9} />
      <Sprig x={34} y={2} turn={80} size={0.9} />
      <Rings count={3} radius={30} seed={9} size={3.6} stroke="#d3201a" />
    </g>
  );
}

function GoiCuon() {
  return (
    <Plate rim="#2e7d5b">
      <g transform="rotate(-20) translate(-4 4)">
        {[-34, 0, 34].map((y, n) => (
          <g key={y} transform={`translate(${n === 1 ? -6 : 0} ${y})`}>
            <rect x="-56" y="-12" width="104" height="32" rx="16" fill="#2c1420" opacity="0.12" />
            <rect x="-58" y="-16" width="104" height="32" rx="16" fill="#f2f3ea" />
            <path
              d="M-48-6C-30-13-6-13 8-8S32-8 36-4"
              fill="none"
              stroke="#5aa84c"
              strokeWidth="8"
              strokeLinecap="round"
              opacity="0.75"
            />
            <rect x="-44" y="-1" width="22" height="10" rx="3" fill="#e2b36a" opacity="0.85" />
            <rect x="-16" y="-1" width="22" height="10" rx="3" fill="#e2b36a" opacity="0.85" />
            <path
              d="M12 7L36 3M-40 11L4 10"
              stroke="#f08a34"
              strokeWidth="3.6"
              strokeLinecap="round"
              opacity="0.85"
            />
            <rect x="-58" y="-16" width="104" height="32" rx="16" fill="#fff" opacity="0.3" />
            <path d="M-44-11H24" stroke="#fff" strokeWidth="3.5" strokeLinecap="round" opacity="0.85" />
            <circle cx="38" r="9.5" fill="#f7f4e8" />
            <circle cx="38" r="6.5" fill="#6bb35a" />
            <circle cx="40" cy="1" r="3" fill="#f08a34" />
          </g>
        ))}
      </g>
      <SauceBowl x={54} y={-48} r={27} sauce="#a8622c">
        <Strewn count={9} radius={15} apart={5} seed={4} size={2} fill="#e8c48c" />
      </SauceBowl>
      <Sprig x={-56} y={-40} turn={-30} size={1.15} />
    </Plate>
  );
}

function BunCha() {
  return (
    <>
      <Plate rim="#1f4e79">
        <g transform="translate(-30 -14)">
          <Noodles r={38} colours={["#fffdf6", "#ece3cf"]} seed={2} strands={15} />
        </g>
        <path d="M-66 22C-56 8-40 18-30 12S0 14-4 34S-30 62-48 54S-74 40-66 22Z" fill="#5aa84c" />
        <path d="M-58 26C-48 18-38 24-28 20S-6 24-10 36S-32 54-44 48S-64 38-58 26Z" fill="#84c66e" />
        <Sprig x={-36} y={36} turn={-40} size={1.1} />
        {[
          [26, -40, -14],
          [50, -8, 24],
          [18, -2, -32],
          [40, 28, 10],
          [4, 40, 48],
        ].map(([x = 0, y = 0, turn = 0]) => (
          <g key={turn} transform={`translate(${x} ${y}) rotate(${turn})`}>
            <ellipse cx="2" cy="4" rx="22" ry="16" fill="#2c1420" opacity="0.18" />
            <ellipse rx="22" ry="16" fill="#7b3c22" />
            <ellipse cx="-2" cy="-2" rx="18" ry="12" fill="#a2552f" />
            <path
              d="M-12-9L-6 9M-2-12L4 11M8-11L14 7"
              stroke="#4a2012"
              strokeWidth="3.2"
              strokeLinecap="round"
            />
          </g>
        ))}
        <Rings count={5} radius={50} seed={27} size={3.2} stroke="#d3201a" />
      </Plate>
      <Chopsticks x={90} turn={5} />
    </>
  );
}

function CaPhe() {
  return (
    <Glass liquid="#7b4a2b" deep="#53301c" coaster="#2e7d5b">
      <path
        d="M-40 6C-30-30 16-40 34-14S12 36-14 24S-16-8 6-4"
        fill="none"
        stroke="#f3dfbd"
        strokeWidth="11"
        strokeLinecap="round"
        opacity="0.9"
      />
      <path
        d="M-30 22C-10 44 30 36 40 10"
        fill="none"
        stroke="#d8b487"
        strokeWidth="7"
        strokeLinecap="round"
        opacity="0.85"
      />
      <IceCube x={-20} y={-24} turn={12} size={24} />
      <IceCube x={22} y={6} turn={-28} size={26} />
      <IceCube x={-10} y={26} turn={40} size={22} />
      <Straw from={[8, -8]} to={[70, -70]} colour="#2e7d5b" />
    </Glass>
  );
}

function Tacos({ filling, children }: { filling: (n: number) => ReactNode; children?: ReactNode }) {
  return (
    <Plate rim="#d97a1f">
      {[
        [-38, -6, -24],
        [0, 4, 2],
        [40, -2, 26],
      ].map(([x = 0, y = 0, turn = 0], n) => (
        <g key={turn} transform={`translate(${x} ${y}) rotate(${turn})`}>
          <ellipse cx="3" cy="5" rx="24" ry="52" fill="#2c1420" opacity="0.2" />
          <ellipse rx="25" ry="53" fill="#dba64e" />
          <ellipse rx="22.5" ry="50.5" fill="#f3d184" />
          <Strewn count={7} radius={22} apart={9} seed={n + 2} size={2} fill="#cf9440" />
          <ellipse rx="13.5" ry="44" fill="#8a4a20" opacity="0.5" />
          {filling(n)}
        </g>
      ))}
      {children}
    </Plate>
  );
}

const alongTaco = (count: number, seed: number) => {
  const random = randomFrom(seed);
  return Array.from({ length: count }, (_, n) => ({
    y: Math.round(-38 + (n * 76) / (count - 1)),
    x: Math.round((random() - 0.5) * 15),
    turn: Math.round(random() * 180),
  }));
};

function TacosAlPastor() {
  return (
    <Tacos
      filling={(n) => (
        <>
          {alongTaco(11, n + 1).map(({ x, y, turn }) => (
            <rect
              key={y}
              x="-7.5"
              y="-5"
              width="15"
              height="10"
              rx="3.5"
              transform={`translate(${x} ${y}) rotate(${turn})`}
              fill={y % 3 === 0 ? "#a43a1c" : "#c5552b"}
            />
          ))}
          {alongTaco(5, n + 11).map(({ x, y, turn }) => (
            <path
              key={y}
              d="M-6 5L0-6L6 5Z"
              transform={`translate(${x} ${y * 0.9}) rotate(${turn})`}
              fill="#fbd23c"
            />
          ))}
          {alongTaco(7, n + 21).map(({ x, y, turn }) => (
            <rect
              key={y}
              x="-2"
              y="-2"
              width="5"
              height="5"
              rx="1"
              transform={`translate(${x * 0.8} ${y}) rotate(${turn})`}
              fill="#fffaf0"
            />
          ))}
          {alongTaco(7, n + 31).map(({ x, y, turn }) => (
            <Leaf key={y} x={x * 0.9} y={y} turn={turn} size={0.3} />
          ))}
        </>
      )}
    >
      <LimeWedge x={-58} y={54} turn={-24} />
      <LimeWedge x={62} y={54} turn={30} />
    </Tacos>
  );
}

function TacosDeHongos() {
  return (
    <Tacos
      filling={(n) => (
        <>
          {alongTaco(9, n + 4).map(({ x, y, turn }) => (
            <g key={y} transform={`translate(${x} ${y}) rotate(${turn * 0.4 - 30})`}>
              <path d="M-9 3C-10-9 10-9 9 3C4 6-4 6-9 3Z" fill={y % 2 === 0 ? "#a98260" : "#8a6446"} />
              <path d="M-5 0C-5-5 5-5 5 0" fill="#d3b391" />
            </g>
          ))}
          <path
            d="M-8-36L8-26L-8-14L8-4L-8 8L8 18L-8 30L6 38"
            fill="none"
            stroke="#fffaf0"
            strokeWidth="4"
            strokeLinecap="round"
            strokeLinejoin="round"
          />
          {alongTaco(7, n + 14).map(({ x, y, turn }) => (
            <Leaf key={y} x={x} y={y} turn={turn} size={0.34} />
          ))}
          <Strewn count={6} radius={12} apart={5} seed={n + 7} size={2.2} fill="#c4306e" />
        </>
      )}
    >
      <LimeWedge x={-58} y={54} turn={-24} />
      <Sprig x={60} y={50} turn={40} size={1.1} />
    </Tacos>
  );
}

function Burrito() {
  return (
    <>
      <Shadow r={88} />
      <circle r="88" fill="#b9814a" />
      <circle r="82" fill="#cf9a60" />
      <path
        d="M-74-22C-40-30 40-12 76-24M-78 16C-30 6 30 26 78 12M-58 52C-20 44 30 60 56 54"
        fill="none"
        stroke="#b37c45"
        strokeWidth="3"
        strokeLinecap="round"
        opacity="0.7"
      />
      {[
        { x: -30, y: -14, turn: -52, cut: true },
        { x: 34, y: 12, turn: -52, cut: false },
      ].map(({ x, y, turn, cut }) => (
        <g key={x} transform={`translate(${x} ${y}) rotate(${turn})`}>
          <rect x="-54" y="-24" width="112" height="60" rx="28" fill="#2c1420" opacity="0.2" />
          <rect x="-58" y="-29" width="116" height="58" rx="28" fill="#e9c98b" />
          <path d="M-46-17H38" stroke="#f7e3b8" strokeWidth="8" strokeLinecap="round" />
          <Strewn count={13} radius={40} apart={9} seed={x + 60} size={3.4} fill="#c58f4b" />
          <path
            d="M-58-4C-58-20-46-29-32-29H-8L-16-17L-6-5L-16 7L-6 19L-12 29H-32C-46 29-58 20-58 4Z"
            fill="#c8cdd6"
          />
          <path
            d="M-50-12C-44-20-34-22-22-22M-50 4H-24M-46 16L-22 18"
            fill="none"
            stroke="#fff"
            strokeWidth="3.4"
            strokeLinecap="round"
            opacity="0.85"
          />
          {cut ? (
            <g transform="translate(44 0)">
              <ellipse rx="22" ry="28" fill="#f3dba6" />
              <ellipse rx="18" ry="24" fill="#fbf3df" />
              <path d="M-14-6C-8-18 4-20 10-14S14-2 4-4S-10 4-14-6Z" fill="#7d4527" />
              <path d="M-12 8C-6 2 4 4 8 0S16 8 10 14S-8 20-12 8Z" fill="#7fb24a" />
              {scatter(7, 13, 8, 6).map((bean) => (
                <ellipse
                  key={`${bean.x},${bean.y}`}
                  cx={bean.x}
                  cy={bean.y}
                  rx="3.8"
                  ry="2.5"
                  fill="#3c2019"
                />
              ))}
              <circle cx="8" cy="-8" r="3" fill="#d9442b" />
              <circle cx="-4" cy="16" r="3" fill="#d9442b" />
            </g>
          ) : null}
        </g>
      ))}
      <SauceBowl x={-54} y={50} r={20} sauce="#d9442b" />
    </>
  );
}

function Quesadilla() {
  return (
    <Plate rim="#c4306e">
      {[
        [-6, -24, 0],
        [26, 6, 92],
        [-30, 14, -88],
      ].map(([x = 0, y = 0, turn = 0], n) => (
        <g key={turn} transform={`translate(${x} ${y}) rotate(${turn})`}>
          <path d="M0 42L-40-30A54 54 0 0 1 40-30Z" fill="#2c1420" opacity="0.2" transform="translate(3 6)" />
          <path d="M0 42L-40-27A54 54 0 0 1 40-27Z" fill="#ffd75e" />
          <path d="M0 34L-40-32A54 54 0 0 1 40-32Z" fill="#d99a45" />
          <path d="M0 28L-34-31A48 48 0 0 1 34-31Z" fill="#f0c678" />
          <Strewn count={10} radius={24} apart={9} seed={n + 5} size={4} fill="#b26a2d" y={-16} />
          <path
            d="M-16 10C-18 18-22 20-20 26"
            fill="none"
            stroke="#ffd75e"
            strokeWidth="6"
            strokeLinecap="round"
          />
        </g>
      ))}
      <SauceBowl x={46} y={-46} r={24} sauce="#5f9c3c">
        <Strewn count={6} radius={12} apart={5} seed={14} size={1.8} fill="#c8e588" />
      </SauceBowl>
      <path
        d="M-52 44C-34 34-20 50-4 46"
        fill="none"
        stroke="#3f7d3a"
        strokeWidth="8"
        strokeLinecap="round"
      />
      <Sprig x={36} y={52} turn={60} size={1.1} />
    </Plate>
  );
}

function Elote() {
  return (
    <Plate rim="#e0a21b">
      <g transform="rotate(-38)">
        <path d="M-50 2C-80-26-96-8-100 2C-96 14-80 28-50 2Z" fill="#7fb24a" />
        <path d="M-46-10C-70-40-92-34-98-26C-86-18-66-12-46-4Z" fill="#9cc95f" />
        <path d="M-46 10C-70 40-92 34-98 26C-86 18-66 12-46 4Z" fill="#68a03c" />
        <rect x="-54" y="-20" width="124" height="52" rx="25" fill="#2c1420" opacity="0.2" />
        <rect x="-58" y="-26" width="126" height="52" rx="26" fill="#e6a417" />
        {[-18, -6, 6, 18].map((y) =>
          Array.from({ length: 11 }, (_, n) => -52 + n * 10.6).map((x, n) => (
            <rect
              key={`${y},${x}`}
              x={x + (Math.abs(y) > 12 ? 2 : 0)}
              y={y - 5}
              width="9"
              height="10"
              rx="3.6"
              fill={(n + y) % 4 === 0 ? "#f9cf4c" : "#fbd866"}
            />
          )),
        )}
        {[
          [-30, -8],
          [4, 10],
          [34, -10],
          [50, 8],
        ].map(([x, y]) => (
          <ellipse key={x} cx={x} cy={y} rx="7" ry="4" fill="#8a4f14" opacity="0.5" />
        ))}
        <path
          d="M-46-12L-32 14L-18-14L-4 14L10-14L24 14L38-14L52 10"
          fill="none"
          stroke="#fffaf0"
          strokeWidth="6.5"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
        <Strewn count={22} radius={40} apart={6} seed={15} size={1.9} fill="#c5331f" />
        <Strewn count={16} radius={42} apart={8} seed={25} size={2.6} fill="#fff4d6" />
        <Strewn count={9} radius={42} apart={10} seed={35} size={2} fill="#4aa05c" />
      </g>
      <LimeWedge x={48} y={46} turn={-30} />
      <LimeWedge x={-50} y={-46} turn={140} />
    </Plate>
  );
}

function Horchata() {
  return (
    <Glass liquid="#f8ecd8" deep="#e5cfa9" coaster="#c4306e">
      <path d={arc(34, 20, 200)} fill="none" stroke="#fffaf0" strokeWidth="8" strokeLinecap="round" />
      <path d={arc(20, 180, 330)} fill="none" stroke="#e9d5b2" strokeWidth="7" strokeLinecap="round" />
      <IceCube x={-22} y={12} turn={20} size={24} />
      <IceCube x={16} y={-22} turn={-18} size={22} />
      <Strewn count={30} radius={44} apart={5} seed={9} size={1.4} fill="#a5622d" />
      <g transform="rotate(-40)">
        <rect
          x="-26"
          y="-4"
          width="88"
          height="11"
          rx="5"
          fill="#2c1420"
          opacity="0.2"
          transform="translate(3 5)"
        />
        <rect x="-26" y="-6" width="88" height="11" rx="5" fill="#8d4a22" />
        <path d="M-22-2H58" stroke="#b7723f" strokeWidth="3" strokeLinecap="round" />
      </g>
    </Glass>
  );
}

/** A covered plate, for a dish without a picture. */
function Covered() {
  return (
    <Plate>
      <circle cx="3" cy="5" r="60" fill="#2c1420" opacity="0.16" />
      <circle r="60" fill="#c8cdd6" />
      <circle cx="-6" cy="-6" r="48" fill="#dfe3e9" />
      <circle r="12" fill="#9aa3b0" />
      <circle cx="-2" cy="-3" r="8" fill="#eef1f4" />
      <path d={arc(44, 190, 260)} fill="none" stroke="#fff" strokeWidth="6" strokeLinecap="round" />
    </Plate>
  );
}

const PICTURES: Record<string, () => ReactNode> = {
  margherita: Margherita,
  diavola: Diavola,
  "cacio-e-pepe": CacioEPepe,
  lasagne: Lasagne,
  tiramisu: Tiramisu,
  limonata: Limonata,
  "pho-bo": PhoBo,
  "pho-chay": PhoChay,
  "banh-mi": BanhMi,
  "goi-cuon": GoiCuon,
  "bun-cha": BunCha,
  "ca-phe": CaPhe,
  "tacos-al-pastor": TacosAlPastor,
  "tacos-de-hongos": TacosDeHongos,
  burrito: Burrito,
  quesadilla: Quesadilla,
  elote: Elote,
  horchata: Horchata,
};

/** The picture of a dish; a covered plate if it has none. */
export function pictureOf(productId: string): () => ReactNode {
  return PICTURES[productId] ?? Covered;
}
