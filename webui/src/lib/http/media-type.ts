const essence = (headers: Headers): string =>
  (headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";

/** Whether an answer is JSON by its own account, as all answers of the gateway are but streams and files. */
export const isJson = (headers: Headers): boolean => /^application\/([^/]+\+)?json$/.test(essence(headers));

/** Whether an answer is a stream of server-sent events. */
export const isEventStream = (headers: Headers): boolean => essence(headers) === "text/event-stream";
