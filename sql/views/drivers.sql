-- Every driver, as the digital twin knows one.
--   id                  the driver
--   status              IDLE (asks for no work), WAITING_FOR_WORK, DELIVERING, OFFLINE (lost a delivery by being silent)
--   lon, lat            the newest position that was accepted, in degrees
--   position_at         when the driver was there
--   last_seen           when the driver was last heard from, whatever the report was worth
--   delivery            the order the driver holds
--   picked_up           whether the driver has the food
--   restaurant, region  of that delivery
SELECT
  id,
  json_as_text(status) AS status,
  CAST(json_as_text(place, 'lon') AS DOUBLE) AS lon,
  CAST(json_as_text(place, 'lat') AS DOUBLE) AS lat,
  arrow_cast(to_timestamp_millis(json_get_int(place, 'timestamp')), 'Timestamp(Millisecond, Some("+00:00"))') AS position_at,
  arrow_cast(to_timestamp_millis(coalesce(json_get_int(place, 'heard', 'at'), json_get_int(place, 'timestamp'))), 'Timestamp(Millisecond, Some("+00:00"))') AS last_seen,
  json_get_str(job, 'deliveryId') AS delivery,
  json_get_bool(job, 'pickedUp') AS picked_up,
  json_get_str(job, 'restaurantId') AS restaurant,
  json_get_str(job, 'region') AS region
FROM (
  SELECT
    service_key AS id,
    max(CASE WHEN key = 'driver-status' THEN value_utf8 END) AS status,
    max(CASE WHEN key = 'driver-location' THEN value_utf8 END) AS place,
    max(CASE WHEN key = 'assigned-delivery' THEN value_utf8 END) AS job
  FROM state
  WHERE service_name = 'DriverDigitalTwin'
  GROUP BY service_key
) AS by_driver
