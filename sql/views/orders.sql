-- Every order the system knows.
--   id                   the ordering provider's id
--   status               see docs/architecture.md, "Statuses"
--   eta                  expected arrival, while one is known
--   restaurant, region   while the workflow's state is kept (--workflow-retention, 1 h after the end)
--   price                in dollars, as long
--   driver               who has, or had, the order
--   created, last_change when it came, and when its status changed last (--order-retention, 30 d after the end)
--   age                  how long it has been under way, or was until its end
--   reason               why it was rejected or cancelled
--   delayed              whether it is held up: its driver is silent or late
--   version              how many changes of status or arrival there were
SELECT
  id,
  json_get_str(status, 'status') AS status,
  arrow_cast(to_timestamp_millis(json_get_int(status, 'eta')), 'Timestamp(Millisecond, Some("+00:00"))') AS eta,
  json_get_str(placed, 'restaurantId') AS restaurant,
  json_get_str(placed, 'region') AS region,
  CAST(json_as_text(placed, 'totalCost') AS DECIMAL(12, 2)) AS price,
  json_get_str(status, 'driverId') AS driver,
  arrow_cast(to_timestamp_millis(created_ms), 'Timestamp(Millisecond, Some("+00:00"))') AS created,
  arrow_cast(to_timestamp_millis(changed_ms), 'Timestamp(Millisecond, Some("+00:00"))') AS last_change,
  CASE
    WHEN json_get_str(status, 'status') IN ('DELIVERED', 'REJECTED', 'CANCELLED')
      THEN to_timestamp_millis(changed_ms) - to_timestamp_millis(created_ms)
    ELSE to_timestamp_millis(CAST(date_part('epoch', now()) * 1000 AS BIGINT)) - to_timestamp_millis(created_ms)
  END AS age,
  json_get_str(status, 'reason') AS reason,
  coalesce(json_get_bool(status, 'delayed'), false) AS delayed,
  json_get_int(status, 'version') AS version
FROM (
  SELECT
    id,
    status,
    placed,
    json_get_int(history, 0, 'at') AS created_ms,
    json_get_int(json_get_json(history, CAST(json_length(history) AS BIGINT) - 1), 'at') AS changed_ms
  FROM (
    SELECT
      service_key AS id,
      max(CASE WHEN service_name = 'OrderStatusService' AND key = 'order-status' THEN value_utf8 END) AS status,
      max(CASE WHEN service_name = 'OrderStatusService' AND key = 'order-history' THEN value_utf8 END) AS history,
      max(CASE WHEN service_name = 'OrderWorkflow' AND key = 'order' THEN value_utf8 END) AS placed
    FROM state
    WHERE service_name IN ('OrderStatusService', 'OrderWorkflow')
      AND key IN ('order-status', 'order-history', 'order')
    GROUP BY service_key
  ) AS by_order
  WHERE status IS NOT NULL
) AS orders
