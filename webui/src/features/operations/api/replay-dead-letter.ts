import { useMutation } from "@tanstack/react-query";
import * as v from "valibot";
import { request } from "@/lib/http/request";
import { useToken } from "../token-store";

export interface Replay {
  /** The corrected event, as JSON. */
  value: string;
  key: string | null;
}

const replayDeadLetter = ({ value, key }: Replay, token: string | null) =>
  request("/api/operations/dead-letters/replay", {
    method: "POST",
    body: { value, ...(key === null ? {} : { key }) },
    schema: v.unknown(),
    token,
  });

/** Publishes a corrected event again. */
export function useReplayDeadLetter() {
  const token = useToken();
  return useMutation({ mutationFn: (replay: Replay) => replayDeadLetter(replay, token) });
}
