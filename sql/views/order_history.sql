-- Every status that an order has had, while its history is kept (--order-retention, 30 d after the end).
--   id        the order
--   position  1 for the first
--   status    the status
--   since     when it began
--   version   the change with which it came; changes of the arrival alone are not listed
--   reason    why it was rejected or cancelled
SELECT
  id,
  position,
  json_get_str(entry, 'status') AS status,
  arrow_cast(to_timestamp_millis(json_get_int(entry, 'at')), 'Timestamp(Millisecond, Some("+00:00"))') AS since,
  json_get_int(entry, 'version') AS version,
  json_get_str(entry, 'reason') AS reason
FROM (
  SELECT
    id,
    entry,
    row_number() OVER (PARTITION BY id ORDER BY json_get_int(entry, 'version')) AS position
  FROM (
    SELECT service_key AS id, unnest(json_get_array(value_utf8)) AS entry
    FROM state
    WHERE service_name = 'OrderStatusService' AND key = 'order-history'
  ) AS entries
) AS numbered
