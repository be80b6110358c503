import { useSyncExternalStore } from "react";

/** The operators' token, as long as the tab is open. */
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
    // Storage is disabled: the token is lost on reload.
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
