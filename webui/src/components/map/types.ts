import type { LonLat } from "@/types/geo";

/** Something that stands on the map with a picture of its own. */
export interface MapPin {
  id: string;
  kind: "restaurant" | "customer" | "driver" | "pick";
  place: LonLat;
}

/** One of many. */
export interface MapDot {
  id: string;
  place: LonLat;
  tone: "busy" | "idle" | "silent";
  /** Shown when it is pointed at. */
  title: string;
}

/** A way as the crow flies. */
export interface MapLine {
  id: string;
  from: LonLat;
  to: LonLat;
}

export interface MapViewProps {
  /** What the map shows, for those who do not see it. */
  label: string;
  pins?: readonly MapPin[];
  dots?: readonly MapDot[];
  lines?: readonly MapLine[];
  /** What must be seen. The view is set to it at first and whenever `fitKey` changes; in between it is the reader's. */
  fit: readonly LonLat[];
  fitKey: string;
  /** With it, a click or tap picks a place, and so does a button for those who cannot click. */
  onPick?: (place: LonLat) => void;
  /** A tile server to use instead of the map drawn here. */
  tileUrl?: string | null;
  tileAttribution?: string | null;
}
