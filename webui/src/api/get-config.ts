import { queryOptions, useQuery } from "@tanstack/react-query";
import * as v from "valibot";
import { request } from "@/lib/http/request";

const configSchema = v.object({
  /** Where operators look into Restate; `null` where nobody should. */
  restateUi: v.fallback(v.nullable(v.string()), null),
  /** A tile server's URL with `{z}`, `{x}` and `{y}`; `null` for the map drawn here. */
  tileUrl: v.fallback(v.nullable(v.string()), null),
  /** What the tile server wants to be said about it. */
  tileAttribution: v.fallback(v.nullable(v.string()), null),
});

export type Config = v.InferOutput<typeof configSchema>;

const getConfig = (signal: AbortSignal) => request("/api/config", { schema: configSchema, signal });

const configQuery = queryOptions({
  queryKey: ["config"],
  queryFn: ({ signal }) => getConfig(signal),
  staleTime: Number.POSITIVE_INFINITY,
});

/** What the operators of this installation have configured. */
export const useConfig = () => useQuery(configQuery);
