import { type OrderStatus, toOrderStatus } from "@/types/order";

/** One fault of a request. */
export interface FieldError {
  /** As in `products[0].quantity`; empty if the request as a whole is at fault. */
  field: string;
  /** What the field must be. */
  detail: string;
}

/** An answer without success (RFC 9457), whatever its format was. */
export interface Problem {
  status: number;
  /** A URN that names the kind; `about:blank` if the answer was not a problem document. */
  type: string;
  title: string;
  detail: string;
  errors: FieldError[];
  orderId: string | null;
  orderStatus: OrderStatus | null;
  /** How long to wait before repeating the request, if the answer says. */
  retryAfterMs: number | null;
}

/** The gateway refused the request. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail === "" ? problem.title : problem.detail);
    this.problem = problem;
  }
}

/** There was no answer, or not from the gateway itself. */
export class GatewayGoneError extends Error {
  override readonly name = "GatewayGoneError";
}

/** An answer that does not fit the contract. */
export class UnexpectedAnswerError extends Error {
  override readonly name = "UnexpectedAnswerError";
}

/** Whether the same request may succeed a little later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof GatewayGoneError) return true;
  if (!(error instanceof ApiError)) return false;
  return [408, 429, 502, 503, 504].includes(error.problem.status);
}

/** Whether the gateway says that it does not exist. */
export const isNotFound = (error: unknown): boolean =>
  error instanceof ApiError && error.problem.status === 404;

const TITLES: Record<number, string> = {
  400: "The request cannot be read",
  401: "A token is needed",
  403: "That is not allowed",
  404: "Not found",
  409: "That is no longer possible",
  422: "The request is not valid",
  429: "Too many requests",
  503: "Temporarily unavailable",
};

/** Turns an answer into a problem: the document if it is one, else by its status. */
export function toProblem(status: number, headers: Headers, body: unknown): Problem {
  const document: Record<string, unknown> = isRecord(body) ? body : {};
  const text = (name: string, otherwise: string): string => {
    const value = document[name];
    return typeof value === "string" && value !== "" ? value : otherwise;
  };
  const errors = Array.isArray(document.errors) ? document.errors : [];
  const orderStatus = document.orderStatus;
  return {
    status,
    type: text("type", "about:blank"),
    title: text("title", TITLES[status] ?? "Something went wrong"),
    detail: text("detail", ""),
    errors: errors.filter(isRecord).flatMap((error) => {
      const field = typeof error.field === "string" ? error.field : fieldOf(error.pointer);
      return typeof error.detail === "string" ? [{ field, detail: error.detail }] : [];
    }),
    orderId: text("orderId", "") || null,
    orderStatus: typeof orderStatus === "string" ? toOrderStatus(orderStatus) : null,
    retryAfterMs: retryAfter(headers),
  };
}

/** Turns `#/products/0/quantity` into `products[0].quantity`. */
function fieldOf(pointer: unknown): string {
  if (typeof pointer !== "string") return "";
  return pointer
    .replace(/^#?\//, "")
    .split("/")
    .filter((step) => step !== "")
    .reduce(
      (path, step) => (/^\d+$/.test(step) ? `${path}[${step}]` : path === "" ? step : `${path}.${step}`),
      "",
    );
}

function retryAfter(headers: Headers): number | null {
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
