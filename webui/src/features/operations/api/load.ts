import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import * as v from "valibot";
import { request } from "@/lib/http/request";
import { useToken } from "../token-store";

const loadSchema = v.object({ ordersPerSecond: v.number() });
const PATH = "/api/operations/load";
const KEY = ["load"];

const getLoad = (token: string | null, signal: AbortSignal) =>
  request(PATH, { schema: loadSchema, token, signal });

const putLoad = (ordersPerSecond: number, token: string | null) =>
  request(PATH, { method: "PUT", body: { ordersPerSecond }, schema: loadSchema, token });

/** How many demo orders are placed per second. */
export function useLoad() {
  const token = useToken();
  return useQuery({ queryKey: KEY, queryFn: ({ signal }) => getLoad(token, signal), staleTime: 0 });
}

export function useSetLoad() {
  const token = useToken();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (ordersPerSecond: number) => putLoad(ordersPerSecond, token),
    onSuccess: (load) => queryClient.setQueryData(KEY, load),
  });
}
