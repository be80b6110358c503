import { useSyncExternalStore } from "react";

/**
 * The address of an order's page.
 *
 * The key, which allows anyone with the address to read and cancel the order, follows the `#`: browsers do not send that part, so
 * it gets into no log and no `Referer`.
 */
export function orderPath(orderId: string, key: string | null): string {
  const path = `/orders/${encodeURIComponent(orderId)}`;
  return key === null ? path : `${path}#key=${encodeURIComponent(key)}`;
}

/** The order's id in the last segment of such a path; the router decodes only some characters of it, and not `%3A`. */
export function orderIdIn(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The key in an address, as `#key=…`. */
export function keyInHash(hash: string): string | null {
  return new URLSearchParams(hash.replace(/^#/, "")).get("key") || null;
}

/** The key in the address of this page. */
export const useKeyInAddress = (): string | null =>
  useSyncExternalStore(
    (listener) => {
      window.addEventListener("hashchange", listener);
      return () => window.removeEventListener("hashchange", listener);
    },
    () => keyInHash(window.location.hash),
  );
