import { useSyncExternalStore } from "react";

/** The visitor's choice; `system` follows the device. */
export type Theme = "system" | "light" | "dark";
export type Scheme = "light" | "dark";

const KEY = "tiffin.theme";
const listeners = new Set<() => void>();
const systemDark = window.matchMedia("(prefers-color-scheme: dark)");
let theme = load();

systemDark.addEventListener("change", apply);
window.addEventListener("storage", (event) => {
  if (event.key !== KEY) return;
  theme = load();
  apply();
});

function load(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system";
  }
}

function currentScheme(): Scheme {
  if (theme !== "system") return theme;
  return systemDark.matches ? "dark" : "light";
}

function apply(): void {
  document.documentElement.dataset.scheme = currentScheme();
  for (const listener of listeners) listener();
}

export function setTheme(next: Theme): void {
  theme = next;
  try {
    if (next === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // Then the choice lasts until the next reload.
  }
  apply();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useTheme = (): Theme => useSyncExternalStore(subscribe, () => theme);
/** Light or dark, as it is shown now. */
export const useScheme = (): Scheme => useSyncExternalStore(subscribe, currentScheme);
