import { useSyncExternalStore } from "react";

/** The operator's token, for as long as the tab lives. */
const KEY = "tiffin.operator-token";
const listeners = new Set<() => void>();
let token = load();

function load(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export function setToken(next: string): void {
  token = next;
  try {
    sessionStorage.setItem(KEY, next);
  } catch {
    // Switched off: the token lives as long as this page.
  }
  for (const listener of listeners) listener();
}

export const useToken = (): string | null =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => token,
  );
