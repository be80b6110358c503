import { useMemo, useState } from "react";
import { MapView } from "@/components/map/map-view";
import type { MapDot, MapLine } from "@/components/map/types";
import type { LonLat } from "@/types/geo";
import type { RegionView } from "../api/operations-events";
import { busiestRegion, type Overview, toneOf, underWay } from "../overview";
import styles from "./drivers-map.module.css";

const TONES = { busy: "delivering", idle: "free", silent: "silent for a minute" } as const;
/** More lines than this would be unreadable. */
const MAX_LINES = 120;

/** All drivers and deliveries, by region. */
export function DriversMap({ overview }: { overview: Overview }) {
  const { regions, drivers, deliveries, now } = overview;
  const [chosen, setChosen] = useState(() => busiestRegion(overview));
  const shown = regions.filter((region) => chosen === null || region.region === chosen);

  const dots = useMemo<MapDot[]>(
    () =>
      [...drivers.values()].map((driver) => {
        const tone = toneOf(driver, now);
        return {
          id: driver.driverId,
          place: driver,
          tone,
          title: `${driver.driverId}: ${TONES[tone]}${driver.deliveryId ? `, order ${driver.deliveryId}` : ""}`,
        };
      }),
    [drivers, now],
  );
  const lines = useMemo<MapLine[]>(
    () =>
      underWay(deliveries)
        .slice(0, MAX_LINES)
        .flatMap(({ orderId, restaurantLocation, customerLocation }) =>
          restaurantLocation && customerLocation
            ? [{ id: orderId, from: restaurantLocation, to: customerLocation }]
            : [],
        ),
    [deliveries],
  );
  const fit = shown.flatMap(cornersOf);

  return (
    <div className={styles.view}>
      <div className={styles.head}>
        <fieldset className={styles.regions}>
          <legend className="visually-hidden">Region</legend>
          {[null, ...regions.map((it) => it.region)].map((region) => (
            <label key={region ?? ""} className={styles.region}>
              <input
                type="radio"
                name="region"
                className={styles.hiddenInput}
                checked={chosen === region}
                onChange={() => setChosen(region)}
              />
              {region === null ? "All regions" : region.replace(/ \(.*\)$/, "")}
              <span className="tabular">{countIn(overview, region)}</span>
            </label>
          ))}
        </fieldset>
        <ul className={styles.legend} aria-hidden="true">
          {Object.entries(TONES).map(([tone, name]) => (
            <li key={tone} data-tone={tone}>
              {name}
            </li>
          ))}
        </ul>
      </div>
      <div className={styles.map}>
        <MapView
          label={`Map of ${drivers.size} drivers and ${underWay(deliveries).length} deliveries`}
          dots={dots}
          lines={lines}
          fit={fit}
          fitKey={shown.map((region) => region.region).join()}
        />
      </div>
    </div>
  );
}

const countIn = ({ drivers }: Overview, region: string | null): number =>
  region === null ? drivers.size : [...drivers.values()].filter((driver) => driver.region === region).length;

/** The middle of the region, where nearly everything happens: one zoom step closer than the whole. */
function cornersOf({ centre, halfExtent }: RegionView): LonLat[] {
  const reach = halfExtent * 0.75;
  return [
    { lon: centre.lon - reach, lat: centre.lat - reach },
    { lon: centre.lon + reach, lat: centre.lat + reach },
  ];
}
