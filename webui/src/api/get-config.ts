import { queryOptions, useQuery } from "@tanstack/react-query";
import * as v from "valibot";
import { request } from "@/lib/http/request";

const configSchema = v.object({
  /** The address of Restate's UI for operators; `null` if none is set. */
  restateUi: v.fallback(v.nullable(v.string()), null),
  /** A tile server's URL with `{z}`, `{x}` and `{y}`; `null` for the built-in map. */
  tileUrl: v.fallback(v.nullable(v.string()), null),
  /** The attribution that the tile server requires. */
  tileAttribution: v.fallback(v.nullable(v.string()), null),
});

export type Config = v.InferOutput<typeof configSchema>;

const getConfig = (signal: AbortSignal) => request("/api/config", { schema: configSchema, signal });

const configQuery = queryOptions({
  queryKey: ["config"],
  queryFn: ({ signal }) => getConfig(signal),
  staleTime: Number.POSITIVE_INFINITY,
});

/** The operators' settings for the web UI. */
export const useConfig = () => useQuery(configQuery);
