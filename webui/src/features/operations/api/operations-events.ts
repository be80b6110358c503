import * as v from "valibot";
import { lonLatSchema, orderStatusSchema, timeSchema } from "@/api/schemas";
import { serverClock } from "@/lib/server-clock";
import type { ServerSentEvent } from "@/lib/sse/parser";

export const OPERATIONS_EVENTS_URL = "/api/operations/events";

const regionSchema = v.object({ region: v.string(), centre: lonLatSchema, halfExtent: v.number() });

const driverSchema = v.object({
  driverId: v.string(),
  region: v.nullish(v.string()),
  lon: v.number(),
  lat: v.number(),
  timestamp: timeSchema,
  deliveryId: v.nullish(v.string()),
});

const deliverySchema = v.object({
  orderId: v.string(),
  status: orderStatusSchema,
  driverId: v.nullish(v.string()),
  restaurantLocation: v.nullish(lonLatSchema),
  customerLocation: v.nullish(lonLatSchema),
});

const stuckSchema = v.object({ orderId: v.string(), status: orderStatusSchema, since: timeSchema });

const deadLetterSchema = v.object({
  topic: v.string(),
  partition: v.number(),
  offset: v.number(),
  key: v.nullish(v.string()),
  reason: v.string(),
  value: v.string(),
  /** Whether the value is longer than the part shown. */
  truncated: v.optional(v.boolean(), false),
  at: timeSchema,
});

const stageSchema = v.object({ stage: v.string(), p50Ms: v.number(), p95Ms: v.number() });
const throughputSchema = v.object({ at: timeSchema, perSecond: v.number() });

/** The same shape for both: a tick contains what has changed, and only the drivers who have moved. */
const updateSchema = v.object({
  now: timeSchema,
  regions: v.optional(v.array(regionSchema)),
  drivers: v.optional(v.array(driverSchema)),
  /** Drivers who have been silent for so long that they no longer count. */
  driversGone: v.optional(v.array(v.string())),
  orders: v.optional(v.object({ byStatus: v.record(v.string(), v.number()) })),
  deliveries: v.optional(v.array(deliverySchema)),
  stuck: v.optional(v.array(stuckSchema)),
  deadLetters: v.optional(v.array(deadLetterSchema)),
  stages: v.optional(v.array(stageSchema)),
  throughput: v.optional(v.array(throughputSchema)),
});

export type OperationsUpdate = v.InferOutput<typeof updateSchema>;
export type Driver = v.InferOutput<typeof driverSchema>;
export type Delivery = v.InferOutput<typeof deliverySchema>;
export type StuckOrder = v.InferOutput<typeof stuckSchema>;
export type DeadLetter = v.InferOutput<typeof deadLetterSchema>;
export type StageTimes = v.InferOutput<typeof stageSchema>;
export type Throughput = v.InferOutput<typeof throughputSchema>;
export type RegionView = v.InferOutput<typeof regionSchema>;

export type OperationsEvent = { type: "snapshot" | "tick"; update: OperationsUpdate };

/** Parses an event of `GET /api/operations/events`; `null` if this version does not know it. */
export function readOperationsEvent({ event, data }: ServerSentEvent): OperationsEvent | null {
  if (event !== "snapshot" && event !== "tick") return null;
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    return null;
  }
  const result = v.safeParse(updateSchema, json);
  if (!result.success) return null;
  serverClock.observe(result.output.now);
  return { type: event, update: result.output };
}
