import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import * as v from "valibot";
import { request } from "@/lib/http/request";
import { useToken } from "../token-store";

/** The two third parties that can be made to fail. */
export type Stub = "restaurant" | "payment";

/** The faults: rates from 0 to 1, and a latency in ms. */
const planSchema = v.record(v.string(), v.number());
export type FaultPlan = v.InferOutput<typeof planSchema>;

const path = (stub: Stub) => `/api/operations/faults/${stub}`;

const getFaults = (stub: Stub, token: string | null, signal: AbortSignal) =>
  request(path(stub), { schema: planSchema, token, signal });

const putFaults = (stub: Stub, plan: FaultPlan, token: string | null) =>
  request(path(stub), { method: "PUT", body: plan, schema: planSchema, token });

const keyOf = (stub: Stub) => ["faults", stub];

/** The current faults of a stub. */
export function useFaults(stub: Stub) {
  const token = useToken();
  return useQuery({
    queryKey: keyOf(stub),
    queryFn: ({ signal }) => getFaults(stub, token, signal),
    staleTime: 0,
  });
}

/** Changes the faults that are named, and leaves the others. */
export function useSetFaults(stub: Stub) {
  const token = useToken();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (plan: FaultPlan) => putFaults(stub, plan, token),
    onSuccess: (plan) => queryClient.setQueryData(keyOf(stub), plan),
  });
}
