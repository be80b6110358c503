import * as v from "valibot";
import { connectivity } from "@/lib/connectivity";
import { serverClock } from "@/lib/server-clock";
import { isJson } from "./media-type";
import { ApiError, GatewayGoneError, toProblem, UnexpectedAnswerError } from "./problem";

/** Longer than the gateway waits for Kafka and Restate, so that its own answer comes first. */
const ANSWER_WITHIN_MS = 15_000;

export interface RequestOptions<TSchema extends v.GenericSchema> {
  method?: "GET" | "POST" | "PUT";
  body?: unknown;
  /** The schema of the answer. */
  schema: TSchema;
  signal?: AbortSignal;
  /** The operators' token. */
  token?: string | null;
  /** The key of the order that the request is about. */
  orderKey?: string | null;
}

/**
 * Sends a request to the gateway.
 *
 * Rejects with {@link GatewayGoneError} if there is no answer, or not from the gateway itself (a proxy without a backend, the
 * login page of a network), with {@link ApiError} if the gateway refuses the request, and with {@link UnexpectedAnswerError} if a
 * successful answer has the wrong shape.
 */
export async function request<TSchema extends v.GenericSchema>(
  path: string,
  options: RequestOptions<TSchema>,
): Promise<v.InferOutput<TSchema>> {
  const { method = "GET", body, schema, signal, token, orderKey } = options;
  const headers = new Headers({ accept: "application/json, application/problem+json" });
  if (body !== undefined) headers.set("content-type", "application/json");
  if (token) headers.set("authorization", `Bearer ${token}`);
  if (orderKey) headers.set("order-key", orderKey);
  const limit = AbortSignal.timeout(ANSWER_WITHIN_MS);

  let response: Response;
  let text: string;
  try {
    response = await fetch(path, {
      method,
      headers,
      // The gateway never redirects. A redirect comes from something in between, such as the login page of a network.
      redirect: "error",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    connectivity.reportGone();
    throw new GatewayGoneError("The gateway does not answer.", { cause: error });
  }
  if (!isJson(response.headers)) {
    connectivity.reportGone();
    throw new GatewayGoneError(`The gateway does not answer (${response.status}).`);
  }
  observeTime(response.headers);
  connectivity.reportHere();
  const json = parse(text);
  if (!response.ok) throw new ApiError(toProblem(response.status, response.headers, json));
  const result = v.safeParse(schema, json);
  if (!result.success) {
    throw new UnexpectedAnswerError(`${method} ${path}: ${v.summarize(result.issues)}`);
  }
  return result.output;
}

/** Reads the server's time from the header `date`. It is cut to whole seconds, so it is slightly in the past. */
export function observeTime(headers: Headers): void {
  serverClock.observe(Date.parse(headers.get("date") ?? ""));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
