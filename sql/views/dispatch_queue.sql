-- What each region's matcher has to match.
--   region              the region
--   pending_deliveries  deliveries that wait for a driver: those in the matcher's state and those put away in DispatchBacklog
--   free_drivers        drivers who wait for a delivery
SELECT
  service_key AS region,
  CAST(coalesce(sum(CASE WHEN key = 'pending-deliveries' THEN waiting END), 0) AS BIGINT) AS pending_deliveries,
  CAST(coalesce(sum(CASE WHEN key <> 'pending-deliveries' THEN waiting END), 0) AS BIGINT) AS free_drivers
FROM (
  SELECT
    service_key,
    key,
    CAST(json_length(value_utf8, 'head') AS BIGINT)
      + CAST(json_length(value_utf8, 'tail') AS BIGINT)
      + json_get_int(value_utf8, 'away') AS waiting
  FROM state
  WHERE service_name = 'DriverDeliveryMatcher' AND (key = 'pending-deliveries' OR key LIKE 'available-drivers%')
) AS queues
GROUP BY service_key
