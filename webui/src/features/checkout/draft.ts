import * as v from "valibot";
import { createPersistedStore } from "@/lib/persisted-store";
import { isInRegion, type LonLat } from "@/types/geo";
import { addressOf } from "./addresses";

/** When the food is wanted. */
export type When =
  | { kind: "now" }
  | { kind: "in5" }
  | { kind: "in15" }
  /** `time` has the format of a `datetime-local` field, in the device's time zone. */
  | { kind: "at"; time: string };

/** Where it is wanted. */
export type Where = { kind: "address"; id: string } | { kind: "pin"; place: LonLat };

/** What has been filled in so far. It survives a reload, so that nothing typed is lost. */
export interface Draft {
  when: When;
  where: Where | null;
}

export const EMPTY_DRAFT: Draft = { when: { kind: "now" }, where: null };

const draftSchema = v.object({
  when: v.variant("kind", [
    v.object({ kind: v.literal("now") }),
    v.object({ kind: v.literal("in5") }),
    v.object({ kind: v.literal("in15") }),
    v.object({ kind: v.literal("at"), time: v.pipe(v.string(), v.maxLength(40)) }),
  ]),
  where: v.nullable(
    v.variant("kind", [
      v.object({ kind: v.literal("address"), id: v.string() }),
      v.object({ kind: v.literal("pin"), place: v.object({ lon: v.number(), lat: v.number() }) }),
    ]),
  ),
});

export function parseDraft(stored: unknown): Draft | null {
  const result = v.safeParse(draftSchema, stored);
  return result.success ? result.output : null;
}

export const draftStore = createPersistedStore<Draft>({
  key: "tiffin.checkout",
  version: 1,
  initial: EMPTY_DRAFT,
  parse: parseDraft,
});

/** How far ahead an order may be scheduled: 30 days. */
export const MAX_DELAY_MS = 30 * 86_400_000;

/** When the kitchen should start. */
export type Start = { kind: "after"; delayMs: number } | { kind: "at"; time: number };

/** The faults of the draft, by field; empty if the draft is valid. */
export interface DraftErrors {
  when?: string;
  where?: string;
}

export interface CheckedDraft {
  start: Start;
  customerLocation: LonLat;
}

/** Reads the draft, at the server's time `now`. */
export function checkDraft(draft: Draft, now: number): { checked: CheckedDraft } | { errors: DraftErrors } {
  const start = startOf(draft.when, now);
  const place = placeOf(draft.where);
  if (typeof start !== "string" && typeof place !== "string") {
    return { checked: { start, customerLocation: place } };
  }
  return {
    errors: {
      ...(typeof start === "string" ? { when: start } : {}),
      ...(typeof place === "string" ? { where: place } : {}),
    },
  };
}

/** When to start, or what is wrong. */
function startOf(when: When, now: number): Start | string {
  if (when.kind === "now") return { kind: "after", delayMs: 0 };
  if (when.kind === "in5") return { kind: "after", delayMs: 5_000 };
  if (when.kind === "in15") return { kind: "after", delayMs: 15_000 };
  if (when.time === "") return "Choose a day and a time.";
  const time = new Date(when.time).getTime();
  if (Number.isNaN(time)) return "Choose a day and a time.";
  // The field has minutes, so the current minute counts as now.
  if (time < now - 60_000) return "That time has passed. Choose a later one.";
  if (time > now + MAX_DELAY_MS) return "That is more than 30 days ahead. Choose an earlier time.";
  return { kind: "at", time };
}

/** Where to deliver, or what is wrong. */
function placeOf(where: Where | null): LonLat | string {
  if (where === null) return "Choose where we should bring it.";
  if (where.kind === "address") return addressOf(where.id)?.place ?? "Choose where we should bring it.";
  return isInRegion(where.place)
    ? where.place
    : "That is too far from San José. Choose a place inside the marked area.";
}

/** The place that the draft names, if it names one. */
export function placeOnMap(where: Where | null): LonLat | null {
  if (where === null) return null;
  return where.kind === "pin" ? where.place : (addressOf(where.id)?.place ?? null);
}

/** How long the kitchen waits, counted from the server's time `now`. */
export const delayOf = (start: Start, now: number): number =>
  start.kind === "after" ? start.delayMs : Math.min(Math.max(0, Math.round(start.time - now)), MAX_DELAY_MS);

/** A time in the format of a `datetime-local` field. */
export function toLocalField(ms: number): string {
  const date = new Date(ms);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}`;
}
