import { useMemo } from "react";
import { districtAt } from "@/components/map/base/streets";
import { MapView } from "@/components/map/map-view";
import type { MapPin } from "@/components/map/types";
import type { LonLat } from "@/types/geo";
import { ADDRESSES } from "../addresses";
import { placeOnMap, type Where } from "../draft";
import { Choice } from "./choice";
import { FieldError } from "./field-error";
import styles from "./where-field.module.css";

interface WhereFieldProps {
  value: Where | null;
  error: string | undefined;
  restaurant: LonLat | undefined;
  onChange: (where: Where) => void;
}

/** Where to deliver: an address, or any place on the map. */
export function WhereField({ value, error, restaurant, onChange }: WhereFieldProps) {
  const place = placeOnMap(value);
  const pin = value?.kind === "pin" ? value.place : null;
  const pins = useMemo<MapPin[]>(
    () => [
      ...(restaurant ? [{ id: "restaurant", kind: "restaurant" as const, place: restaurant }] : []),
      ...(place
        ? [{ id: pin ? "pin" : "address", kind: pin ? ("pick" as const) : ("customer" as const), place }]
        : []),
    ],
    [restaurant, place, pin],
  );
  const errorId = error ? "where-error" : undefined;
  return (
    <div className={styles.where}>
      <fieldset className={styles.list}>
        <legend className="visually-hidden">Where should we bring it?</legend>
        {ADDRESSES.map((address) => (
          <Choice
            key={address.id}
            name="where"
            title={address.name}
            detail={address.street}
            isChosen={value?.kind === "address" && value.id === address.id}
            onChoose={() => onChange({ kind: "address", id: address.id })}
            isInvalid={error !== undefined}
            describedBy={errorId}
          />
        ))}
        <Choice
          name="where"
          title="A place on the map"
          detail={pin ? nameOf(pin) : "Tap the map, or move it and pin the middle"}
          isChosen={pin !== null}
          onChoose={() =>
            onChange({ kind: "pin", place: place ?? ADDRESSES[0]?.place ?? { lon: -121.8863, lat: 37.3382 } })
          }
          isInvalid={error !== undefined}
          describedBy={errorId}
        />
      </fieldset>
      <FieldError id="where-error" error={error} />
      <div className={styles.map}>
        <MapView
          label="Map to choose the place of delivery"
          pins={pins}
          fit={ADDRESSES.map((address) => address.place)}
          fitKey="addresses"
          onPick={(picked) => onChange({ kind: "pin", place: rounded(picked) })}
        />
      </div>
    </div>
  );
}

/** Rounded to a metre, which is precise enough for a door. */
function rounded({ lon, lat }: LonLat): LonLat {
  return { lon: Math.round(lon * 1e5) / 1e5, lat: Math.round(lat * 1e5) / 1e5 };
}

function nameOf(place: LonLat): string {
  const near = districtAt(place);
  const position = `${place.lat.toFixed(4)}° N, ${Math.abs(place.lon).toFixed(4)}° W`;
  return near ? `${near.district}, ${position}` : position;
}
