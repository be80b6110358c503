import "leaflet/dist/leaflet.css";
import L from "leaflet";
import { useEffect, useEffectEvent, useRef } from "react";
import { Button } from "@/components/ui/button";
import { useScheme } from "@/lib/theme";
import type { LonLat } from "@/types/geo";
import { CanvasBaseLayer } from "./base/canvas-base-layer";
import styles from "./leaflet-map.module.css";
import type { MapDot, MapPin, MapViewProps } from "./types";

const LAND: L.LatLngBoundsExpression = [
  [36.95, -122.95],
  [38.1, -121.45],
];
/** A driver glides to a new place in about the time between two reports, within these limits in ms. */
const GLIDE_MS = { least: 200, most: 1_200 };

const ART: Record<MapPin["kind"], { html: string; size: [number, number]; anchor: [number, number] }> = {
  restaurant: {
    html: `<svg viewBox="0 0 44 52" width="44" height="52"><path d="M22 51C32 38 42 31 42 21A20 20 0 0 0 2 21C2 31 12 38 22 51Z" fill="#bf3020" stroke="#fff" stroke-width="2.5"/><path d="M15 11V18C15 21 19 21 19 18V11M17 11V31M27 31V11C23 13 23 20 27 21" fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"/></svg>`,
    size: [44, 52],
    anchor: [22, 51],
  },
  customer: {
    html: `<svg viewBox="0 0 44 52" width="44" height="52"><path d="M22 51C32 38 42 31 42 21A20 20 0 0 0 2 21C2 31 12 38 22 51Z" fill="#1d6b49" stroke="#fff" stroke-width="2.5"/><path d="M12 21L22 12L32 21M15 19.5V30H29V19.5M20 30V24H24V30" fill="none" stroke="#fff" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"/></svg>`,
    size: [44, 52],
    anchor: [22, 51],
  },
  pick: {
    html: `<svg viewBox="0 0 44 52" width="44" height="52"><path d="M22 51C32 38 42 31 42 21A20 20 0 0 0 2 21C2 31 12 38 22 51Z" fill="#1d6b49" stroke="#fff" stroke-width="2.5"/><circle cx="22" cy="21" r="7" fill="#fff"/></svg>`,
    size: [44, 52],
    anchor: [22, 51],
  },
  driver: {
    html: `<svg viewBox="0 0 48 48" width="48" height="48"><circle cx="24" cy="24" r="22" fill="#f7b733" stroke="#fff" stroke-width="3"/><g fill="none" stroke="#2c1420" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round"><circle cx="15" cy="31" r="4"/><circle cx="34" cy="31" r="4"/><path d="M19 31H29L26 15H32M10 28C10 24 13 23 16 23H27M10 15H20V22H10Z"/></g></svg>`,
    size: [48, 48],
    anchor: [24, 24],
  },
};

const TONES: Record<MapDot["tone"], L.CircleMarkerOptions> = {
  busy: { fillColor: "#bf3020", color: "#fff", radius: 7 },
  idle: { fillColor: "#f7b733", color: "#5a3a05", radius: 6 },
  silent: { fillColor: "#9b7f83", color: "#fff", radius: 5 },
};

const at = ({ lat, lon }: LonLat): L.LatLngTuple => [lat, lon];

/** The map itself, loaded only where a map is shown: see {@link MapView}. */
export function LeafletMap(props: MapViewProps) {
  const {
    label,
    pins = [],
    dots = [],
    lines = [],
    fit,
    fitKey,
    onPick,
    tileUrl = null,
    tileAttribution = null,
  } = props;
  const scheme = useScheme();
  const element = useRef<HTMLDivElement>(null);
  const map = useRef<L.Map | null>(null);
  const base = useRef<L.GridLayer | null>(null);
  const drawn = useRef({
    pins: new Map<string, L.Marker>(),
    dots: new Map<string, L.CircleMarker>(),
    lines: new Map<string, L.Polyline>(),
    glides: new Map<string, () => void>(),
    /** When each driver's place was last updated. */
    heard: new WeakMap<L.Marker, number>(),
  });
  const pick = useEffectEvent((place: LonLat) => onPick?.(place));
  const fitNow = useEffectEvent(() => {
    if (fit.length === 0) return;
    map.current?.fitBounds(L.latLngBounds(fit.map(at)), {
      paddingTopLeft: [36, 60],
      paddingBottomRight: [36, 28],
      maxZoom: 15,
    });
  });

  useEffect(() => {
    if (element.current === null) return;
    const isStill = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const created = L.map(element.current, {
      zoomControl: false,
      minZoom: 9,
      maxZoom: 17,
      maxBounds: LAND,
      maxBoundsViscosity: 0.8,
      preferCanvas: true,
      zoomAnimation: !isStill,
      fadeAnimation: !isStill,
      markerZoomAnimation: !isStill,
      inertia: !isStill,
    });
    created.attributionControl.setPrefix(false);
    L.control.zoom({ position: "topright", zoomInTitle: "Zoom in", zoomOutTitle: "Zoom out" }).addTo(created);
    created.on("click", (event) => pick({ lon: event.latlng.lng, lat: event.latlng.lat }));
    map.current = created;
    fitNow();
    const observer = new ResizeObserver(() => created.invalidateSize({ pan: false }));
    observer.observe(element.current);
    const { pins: markers, dots: circles, lines: ways, glides } = drawn.current;
    return () => {
      observer.disconnect();
      for (const stop of glides.values()) stop();
      for (const kept of [markers, circles, ways, glides]) kept.clear();
      base.current = null;
      map.current = null;
      created.remove();
    };
  }, []);

  useEffect(() => {
    const current = map.current;
    if (current === null) return;
    const layer =
      tileUrl === null
        ? new CanvasBaseLayer(scheme)
        : L.tileLayer(tileUrl, {
            maxZoom: 19,
            ...(tileAttribution ? { attribution: escapeHtml(tileAttribution) } : {}),
          });
    base.current?.remove();
    base.current = layer.addTo(current);
  }, [tileUrl, tileAttribution, scheme]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the visitor controls the view until the key changes
  useEffect(() => {
    fitNow();
  }, [fitKey]);

  useEffect(() => {
    const current = map.current;
    if (current === null) return;
    const { pins: markers, glides, heard } = drawn.current;
    keep(markers, pins, (pin) => {
      const { html, size, anchor } = ART[pin.kind];
      const icon = L.divIcon({ html, iconSize: size, iconAnchor: anchor, className: styles.pin ?? "" });
      const marker = L.marker(at(pin.place), {
        icon,
        interactive: false,
        keyboard: false,
        zIndexOffset: pin.kind === "driver" ? 1000 : 0,
      }).addTo(current);
      marker.getElement()?.setAttribute("data-pin", pin.kind);
      return marker;
    });
    for (const pin of pins) {
      const marker = markers.get(pin.id);
      if (marker === undefined || marker.getLatLng().equals(at(pin.place), 1e-9)) continue;
      glides.get(pin.id)?.();
      if (pin.kind === "driver" && current.options.zoomAnimation)
        glides.set(pin.id, glide(marker, pin.place, heard));
      else marker.setLatLng(at(pin.place));
    }
  }, [pins]);

  useEffect(() => {
    const current = map.current;
    if (current === null) return;
    const { dots: circles } = drawn.current;
    keep(circles, dots, (dot) =>
      L.circleMarker(at(dot.place), { weight: 2, fillOpacity: 1, ...TONES[dot.tone] })
        .bindTooltip(escapeHtml(dot.title))
        .addTo(current),
    );
    for (const dot of dots) {
      const circle = circles.get(dot.id);
      if (circle === undefined) continue;
      circle.setLatLng(at(dot.place));
      if (circle.options.fillColor !== TONES[dot.tone].fillColor) circle.setStyle(TONES[dot.tone]);
      circle.setTooltipContent(escapeHtml(dot.title));
    }
  }, [dots]);

  useEffect(() => {
    const current = map.current;
    if (current === null) return;
    const { lines: ways } = drawn.current;
    keep(ways, lines, (line) =>
      L.polyline([at(line.from), at(line.to)], {
        interactive: false,
        weight: 4,
        dashArray: "2 10",
        lineCap: "round",
      }).addTo(current),
    );
    for (const line of lines) {
      ways
        .get(line.id)
        ?.setLatLngs([at(line.from), at(line.to)])
        .setStyle({ color: scheme === "dark" ? "#ff8164" : "#bf3020" });
    }
  }, [lines, scheme]);

  return (
    <div className={styles.frame}>
      <div
        ref={element}
        className={styles.map}
        role="application"
        aria-label={`${label}. Arrow keys move it, plus and minus zoom.`}
        data-pickable={onPick ? "" : undefined}
      />
      {onPick ? (
        <>
          <span className={styles.crosshair} aria-hidden="true" />
          <Button
            icon="target"
            className={styles.pickButton ?? ""}
            onClick={() => {
              const centre = map.current?.getCenter();
              if (centre) onPick({ lon: centre.lng, lat: centre.lat });
            }}
          >
            Pin the middle
          </Button>
        </>
      ) : null}
    </div>
  );
}

/** Removes the layers that are no longer wanted, and adds the new ones. */
function keep<T extends { id: string }, L extends { remove(): unknown }>(
  kept: Map<string, L>,
  wanted: readonly T[],
  create: (it: T) => L,
): void {
  const ids = new Set(wanted.map((it) => it.id));
  for (const [id, layer] of kept) {
    if (ids.has(id)) continue;
    layer.remove();
    kept.delete(id);
  }
  for (const it of wanted) if (!kept.has(it.id)) kept.set(it.id, create(it));
}

/** Moves a marker evenly to its new place, so that a driver does not jump. */
function glide(marker: L.Marker, to: LonLat, heard: WeakMap<L.Marker, number>): () => void {
  const from = marker.getLatLng();
  const begin = performance.now();
  const apart = begin - (heard.get(marker) ?? 0);
  const duration = Math.min(Math.max(apart, GLIDE_MS.least), GLIDE_MS.most);
  heard.set(marker, begin);
  let frame = requestAnimationFrame(function step(now) {
    const t = Math.min(1, (now - begin) / duration);
    marker.setLatLng([from.lat + (to.lat - from.lat) * t, from.lng + (to.lon - from.lng) * t]);
    if (t < 1) frame = requestAnimationFrame(step);
  });
  return () => cancelAnimationFrame(frame);
}

/** Leaflet interprets texts as HTML. */
const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
