import type { LonLat } from "@/types/geo";

/** A place with its own icon on the map. */
export interface MapPin {
  id: string;
  kind: "restaurant" | "customer" | "driver" | "pick";
  place: LonLat;
}

/** One of many drivers. */
export interface MapDot {
  id: string;
  place: LonLat;
  tone: "busy" | "idle" | "silent";
  /** Shown while the pointer is over it. */
  title: string;
}

/** A straight line between two places. */
export interface MapLine {
  id: string;
  from: LonLat;
  to: LonLat;
}

export interface MapViewProps {
  /** A description of the map, for people who do not see it. */
  label: string;
  pins?: readonly MapPin[];
  dots?: readonly MapDot[];
  lines?: readonly MapLine[];
  /** What must be visible. The view is set to it at first and whenever `fitKey` changes; in between the visitor controls it. */
  fit: readonly LonLat[];
  fitKey: string;
  /** If set, a click or tap picks a place, and so does a button for people who cannot click. */
  onPick?: (place: LonLat) => void;
  /** A tile server to use instead of the built-in map. */
  tileUrl?: string | null;
  tileAttribution?: string | null;
}
