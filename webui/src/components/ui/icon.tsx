/** The icons, drawn on a grid of 24 by 24 with one line width. */
const PATHS = {
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  check: "M5 12.5l4.5 4.5L19 7.5",
  search: "M11 4a7 7 0 1 0 0 14a7 7 0 0 0 0-14M16.2 16.2L20.5 20.5",
  bag: "M5 8h14l1 12H4zM8.5 8V7a3.5 3.5 0 0 1 7 0v1",
  clock: "M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 0 0 0-17M12 7.5V12l3 2",
  pin: "M12 21c4.5-5 7-8.4 7-11.5a7 7 0 0 0-14 0C5 12.6 7.5 16 12 21zM12 7a2.6 2.6 0 1 0 0 5.2a2.6 2.6 0 0 0 0-5.2",
  sun: "M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M18.7 5.3l-1.4 1.4M6.7 17.3l-1.4 1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  device: "M4 5h16v11H4zM9 20h6M12 16v4",
  receipt: "M6 3.5h12V21l-3-2l-3 2l-3-2l-3 2zM9 8h6M9 12h6",
  pan: "M3 10h13a0 0 0 0 1 0 0a6.5 6.5 0 0 1-13 0zM16 11l6-2.5M7 6.5c0-1.5 1-1.5 1-3M11 6.5c0-1.5 1-1.5 1-3",
  scooter:
    "M6.5 15a2.5 2.5 0 1 0 0 5a2.5 2.5 0 0 0 0-5M18 15a2.5 2.5 0 1 0 0 5a2.5 2.5 0 0 0 0-5M9 17.5h6.5L13.5 6H17M4 14c0-2 1.5-3 4-3h6.4M4 8h5v3H4z",
  home: "M4 11l8-7l8 7M6 9.5V20h12V9.5M10 20v-5.5h4V20",
  search_driver: "M12 3.5a8.5 8.5 0 1 0 8.5 8.5M12 8a4 4 0 1 0 4 4M12 12l7-7",
  wallet: "M4 7.5h16V19H4zM4 7.5L16 4v3.5M15 12h5v3.5h-5z",
  alert: "M12 4L2.5 20h19zM12 10v4.5M12 17.2v.3",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.3l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  external: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  refresh: "M20 5v5h-5M4 19v-5h5M5.2 9.5A7.5 7.5 0 0 1 19 8.5L20 10M4 14l1 1.5a7.5 7.5 0 0 0 13.8-1",
  leaf: "M5 19c0-9 5-14 15-14c0 10-5 14.5-11.5 14.5C7 19.5 6 19 5 19zM5 20c2-5 5-8 9-10",
  gauge: "M4 18a9 9 0 1 1 16 0M12 15l4-5M12 14a1.5 1.5 0 1 0 0 3a1.5 1.5 0 0 0 0-3",
  target: "M12 3v4M12 17v4M3 12h4M17 12h4M12 8a4 4 0 1 0 0 8a4 4 0 0 0 0-8",
  trash: "M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13",
  arrow: "M5 12h14M13 6l6 6l-6 6",
  key: "M8 11a4 4 0 1 0 0 8a4 4 0 0 0 0-8M11 12.5L20 4M16.5 7.5l2.5 2.5",
} as const;

export type IconName = keyof typeof PATHS;

/** An icon beside its text, or in a button that has its own name; hidden from screen readers. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }) {
  return (
    <svg
      viewBox="0 0 24 24"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
