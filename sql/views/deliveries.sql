-- Every delivery that is under way: from the end of cooking until the customer has the food.
--   id                                the order
--   stage                             searching (no driver yet), assigned (the driver is on the way to the restaurant), pickedUp
--   driver, region, restaurant        who brings it, where, from whom
--   restaurant_lon … customer_lat     places, in degrees
--   eta                               the arrival that the customer knows
SELECT
  id,
  json_get_str(info, 'progress', 'stage') AS stage,
  json_get_str(info, 'progress', 'driverId') AS driver,
  json_get_str(info, 'request', 'region') AS region,
  json_get_str(info, 'request', 'restaurantId') AS restaurant,
  CAST(json_as_text(info, 'request', 'restaurantLocation', 'lon') AS DOUBLE) AS restaurant_lon,
  CAST(json_as_text(info, 'request', 'restaurantLocation', 'lat') AS DOUBLE) AS restaurant_lat,
  CAST(json_as_text(info, 'request', 'customerLocation', 'lon') AS DOUBLE) AS customer_lon,
  CAST(json_as_text(info, 'request', 'customerLocation', 'lat') AS DOUBLE) AS customer_lat,
  arrow_cast(to_timestamp_millis(json_get_int(status, 'eta')), 'Timestamp(Millisecond, Some("+00:00"))') AS eta
FROM (
  SELECT
    service_key AS id,
    max(CASE WHEN service_name = 'DeliveryManager' AND key = 'delivery-info' THEN value_utf8 END) AS info,
    max(CASE WHEN service_name = 'OrderStatusService' AND key = 'order-status' THEN value_utf8 END) AS status
  FROM state
  WHERE service_name IN ('DeliveryManager', 'OrderStatusService') AND key IN ('delivery-info', 'order-status')
  GROUP BY service_key
) AS by_order
WHERE info IS NOT NULL
