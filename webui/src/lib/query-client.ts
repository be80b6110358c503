import { type Query, QueryClient } from "@tanstack/react-query";
import { connectivity } from "./connectivity";
import { isTransient } from "./http/problem";

const LONGEST_RETRY_DELAY_MS = 8_000;

export function createQueryClient(): QueryClient {
  const client = new QueryClient({
    defaultOptions: {
      queries: {
        // The gateway's answers show whether the network works; the browser's own check does not apply to localhost.
        networkMode: "always",
        staleTime: 30_000,
        retry: (failures, error) => isTransient(error) && failures < 1_000,
        retryDelay: (failures) => Math.min(500 * 2 ** failures, LONGEST_RETRY_DELAY_MS),
      },
      mutations: { networkMode: "always" },
    },
  });
  // Once the gateway is back, wait neither for the next try nor for an answer over a dead connection.
  connectivity.onBack(async () => {
    const isUnanswered = (query: Query) => query.state.status !== "success";
    await client.cancelQueries({ type: "active", predicate: isUnanswered });
    await client.refetchQueries({
      type: "active",
      predicate: (query) => isUnanswered(query) || query.state.fetchStatus !== "idle",
    });
  });
  return client;
}
