import { useSyncExternalStore } from "react";

/** A value that survives a reload and is the same in every tab. */
export interface PersistedStore<T> {
  get(): T;
  /** Applies `change` to the newest value, which another tab may have stored in the meantime. */
  update(change: (current: T) => T): T;
  subscribe(listener: () => void): () => void;
}

export interface PersistedStoreOptions<T> {
  key: string;
  /** Increased when the shape of the value changes; a value stored under another version is dropped. */
  version: number;
  initial: T;
  /** Parses a stored value; `null` if this version does not understand it. */
  parse: (stored: unknown) => T | null;
  /** `localStorage`, or a substitute in tests. */
  storage?: Pick<Storage, "getItem" | "setItem"> | null;
}

export function createPersistedStore<T>(options: PersistedStoreOptions<T>): PersistedStore<T> {
  const { key, version, initial, parse } = options;
  const storage = options.storage === undefined ? browserStorage() : options.storage;
  const listeners = new Set<() => void>();
  let text = load();
  let value = read(text) ?? initial;

  function load(): string | null {
    try {
      return storage?.getItem(key) ?? null;
    } catch {
      return null;
    }
  }

  function read(stored: string | null): T | null {
    if (stored === null) return null;
    try {
      const envelope: unknown = JSON.parse(stored);
      if (typeof envelope !== "object" || envelope === null) return null;
      if (!("version" in envelope) || envelope.version !== version || !("value" in envelope)) return null;
      return parse(envelope.value);
    } catch {
      return null;
    }
  }

  function refresh(): void {
    const stored = load();
    // If the storage cannot be read, this tab keeps its value; `null` means that the storage was cleared.
    if (stored === text || storage === null) return;
    text = stored;
    value = read(stored) ?? initial;
    for (const listener of listeners) listener();
  }

  if (typeof window !== "undefined") {
    window.addEventListener("storage", (event) => {
      if (event.key === key || event.key === null) refresh();
    });
  }

  return {
    get: () => value,
    update(change) {
      refresh();
      const next = change(value);
      if (Object.is(next, value)) return value;
      value = next;
      const envelope = JSON.stringify({ version, value });
      try {
        storage?.setItem(key, envelope);
        text = load();
      } catch {
        // Full or disabled: the value is lost on reload.
      }
      for (const listener of listeners) listener();
      return value;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The store's value, for a component. */
export function useStore<T>(store: PersistedStore<T>): T {
  return useSyncExternalStore(store.subscribe, store.get, store.get);
}

function browserStorage(): Storage | null {
  try {
    return typeof window === "undefined" ? null : window.localStorage;
  } catch {
    return null;
  }
}
