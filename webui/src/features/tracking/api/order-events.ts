import * as v from "valibot";
import { orderStatusSchema, timeSchema } from "@/api/schemas";
import { serverClock } from "@/lib/server-clock";
import type { ServerSentEvent } from "@/lib/sse/parser";
import type { OrderEvent } from "../progress";
import { snapshotSchema } from "./get-order";

const statusSchema = v.object({
  orderId: v.string(),
  status: orderStatusSchema,
  eta: v.nullish(timeSchema),
  version: v.number(),
  at: timeSchema,
  reason: v.nullish(v.string()),
  driverId: v.nullish(v.string()),
  delayed: v.optional(v.boolean()),
});

const driverSchema = v.object({
  driverId: v.string(),
  lon: v.number(),
  lat: v.number(),
  timestamp: timeSchema,
});

export const orderEventsUrl = (orderId: string): string =>
  `/api/orders/${encodeURIComponent(orderId)}/events`;

/** Parses an event of `GET /api/orders/{id}/events`; `null` if this version does not know it. */
export function readOrderEvent({ event, data }: ServerSentEvent): OrderEvent | null {
  const json = parseJson(data);
  if (event === "snapshot") {
    const snapshot = v.safeParse(snapshotSchema, json);
    if (!snapshot.success) return null;
    if (snapshot.output.now !== undefined) serverClock.observe(snapshot.output.now);
    return { type: "snapshot", snapshot: snapshot.output };
  }
  if (event === "status") {
    const change = v.safeParse(statusSchema, json);
    if (!change.success) return null;
    serverClock.observe(change.output.at);
    return { type: "status", change: change.output };
  }
  if (event === "end") return { type: "end" };
  if (event === "driver") {
    const position = v.safeParse(driverSchema, json);
    return position.success ? { type: "driver", position: position.output } : null;
  }
  return null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
