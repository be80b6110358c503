const essence = (headers: Headers): string =>
  (headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";

/** Whether the content type is JSON, as in every answer of the gateway except streams and files. */
export const isJson = (headers: Headers): boolean => /^application\/([^/]+\+)?json$/.test(essence(headers));

/** Whether an answer is a stream of server-sent events. */
export const isEventStream = (headers: Headers): boolean => essence(headers) === "text/event-stream";
