-- Orders that have not ended and are held up, or have not changed for longer than their stage should take, and why.
--   id, status   the order
--   since        when its status changed last
--   stuck_for    how long it is over its time
--   expected     how long the stage should take: CREATED (payment) 1 min; SCHEDULED the wished delay and 1 min;
--                IN_PREPARATION 5 min; SCHEDULING_DELIVERY 2 min; WAITING_FOR_DRIVER 15 min; IN_DELIVERY 30 min.
--                These are warnings: the limits after which an order is cancelled are flags of the order services.
--   why          the workflow's last failure if it is failing, or what the stage waits for
SELECT
  id,
  status,
  arrow_cast(to_timestamp_millis(changed_ms), 'Timestamp(Millisecond, Some("+00:00"))') AS since,
  to_timestamp_millis(now_ms) - to_timestamp_millis(changed_ms + expected_ms) AS stuck_for,
  to_timestamp_millis(expected_ms) - to_timestamp_millis(0) AS expected,
  CASE
    WHEN last_failure IS NOT NULL THEN concat('the workflow fails: ', last_failure)
    WHEN delayed THEN concat('nothing is heard of driver ', driver)
    WHEN workflow IS NULL THEN 'no workflow is at work on it'
    WHEN status = 'CREATED' THEN 'waits for the payment provider'
    WHEN status = 'SCHEDULED' THEN 'its time has come, but the preparation has not begun'
    WHEN status = 'IN_PREPARATION' THEN 'the restaurant has not said that the food is ready'
    WHEN status = 'SCHEDULING_DELIVERY' THEN 'no driver is free; see dispatch_queue'
    WHEN status = 'WAITING_FOR_DRIVER' THEN concat('driver ', driver, ' has not picked it up')
    ELSE concat('driver ', driver, ' has not delivered it')
  END AS why
FROM (
  SELECT
    id,
    status,
    driver,
    delayed,
    now_ms,
    changed_ms,
    CASE status
      WHEN 'CREATED' THEN 60000
      WHEN 'SCHEDULED' THEN 60000 + coalesce(delay_ms, 0)
      WHEN 'IN_PREPARATION' THEN 300000
      WHEN 'SCHEDULING_DELIVERY' THEN 120000
      WHEN 'WAITING_FOR_DRIVER' THEN 900000
      ELSE 1800000
    END AS expected_ms
  FROM (
    SELECT
      id,
      json_get_str(status, 'status') AS status,
      json_get_str(status, 'driverId') AS driver,
      coalesce(json_get_bool(status, 'delayed'), false) AS delayed,
      json_get_int(placed, 'deliveryDelay') AS delay_ms,
      json_get_int(json_get_json(history, CAST(json_length(history) AS BIGINT) - 1), 'at') AS changed_ms,
      CAST(date_part('epoch', now()) * 1000 AS BIGINT) AS now_ms
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
  ) AS stages
  WHERE status NOT IN ('DELIVERED', 'REJECTED', 'CANCELLED')
) AS under_way
LEFT JOIN (
  SELECT id AS workflow, target_service_key, last_failure
  FROM sys_invocation
  WHERE target_service_name = 'OrderWorkflow' AND target_handler_name = 'run' AND status <> 'completed'
) AS runs ON runs.target_service_key = under_way.id
WHERE delayed OR now_ms > changed_ms + expected_ms
