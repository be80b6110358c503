import { useConfig } from "@/api/get-config";
import { Outdated } from "@/components/ui/outdated";
import { useLazy } from "@/lib/use-lazy";
import styles from "./map-view.module.css";
import type { MapViewProps } from "./types";

const load = () => import("./leaflet-map");

/** A map. Its code is loaded only where one is shown. */
export function MapView(props: MapViewProps) {
  const map = useLazy(load);
  const config = useConfig();
  return (
    <div className={styles.view}>
      {map === "outdated" ? (
        <Outdated />
      ) : map === null || config.isPending ? (
        <p className={styles.loading}>Unfolding the map …</p>
      ) : (
        <map.LeafletMap
          {...props}
          tileUrl={config.data?.tileUrl ?? null}
          tileAttribution={config.data?.tileAttribution ?? null}
        />
      )}
    </div>
  );
}
