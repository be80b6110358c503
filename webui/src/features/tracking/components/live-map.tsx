import { useMemo } from "react";
import { MapView } from "@/components/map/map-view";
import type { MapLine, MapPin } from "@/components/map/types";
import { distanceMetres, formatDistance } from "@/lib/distance";
import type { LonLat } from "@/types/geo";
import type { OrderStatus } from "@/types/order";
import type { DriverPosition } from "../progress";
import styles from "./live-map.module.css";

interface LiveMapProps {
  status: OrderStatus;
  restaurant: LonLat | null;
  customer: LonLat | null;
  driver: DriverPosition | null;
  isOutOfTouch: boolean;
}

/** Where the food is: the kitchen, the door, and the driver between them. */
export function LiveMap({ status, restaurant, customer, driver, isOutOfTouch }: LiveMapProps) {
  const pins = useMemo<MapPin[]>(
    () => [
      ...(restaurant ? [{ id: "restaurant", kind: "restaurant" as const, place: restaurant }] : []),
      ...(customer ? [{ id: "customer", kind: "customer" as const, place: customer }] : []),
      ...(driver ? [{ id: "driver", kind: "driver" as const, place: driver }] : []),
    ],
    [restaurant, customer, driver],
  );
  const lines = useMemo<MapLine[]>(
    () => (restaurant && customer ? [{ id: "way", from: restaurant, to: customer }] : []),
    [restaurant, customer],
  );
  return (
    <section className={styles.live} aria-label="Where your food is">
      <div className={styles.map}>
        <MapView
          label="Live map with the restaurant, your place and the driver"
          pins={pins}
          lines={lines}
          fit={pins.map((pin) => pin.place)}
          fitKey={pins.map((pin) => pin.id).join()}
        />
      </div>
      <p className={styles.text}>{tell(status, restaurant, customer, driver, isOutOfTouch ? "was" : "is")}</p>
    </section>
  );
}

/** A description of the map. */
function tell(
  status: OrderStatus,
  restaurant: LonLat | null,
  customer: LonLat | null,
  driver: DriverPosition | null,
  is: "is" | "was",
): string {
  if (driver && status === "IN_DELIVERY" && customer) {
    return `Your driver ${is} ${formatDistance(distanceMetres(driver, customer))} from you.`;
  }
  if (driver && restaurant)
    return `Your driver ${is} ${formatDistance(distanceMetres(driver, restaurant))} from the restaurant.`;
  if (restaurant && customer)
    return `${formatDistance(distanceMetres(restaurant, customer))} from the kitchen to your door.`;
  return "";
}
