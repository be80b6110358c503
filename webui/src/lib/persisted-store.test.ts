import { describe, expect, it } from "vitest";
import { createPersistedStore } from "./persisted-store";

function memoryStorage(entries: Record<string, string> = {}) {
  const map = new Map(Object.entries(entries));
  return {
    map,
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
  };
}

const numbers = (stored: unknown) => (typeof stored === "number" ? stored : null);
const open = (storage: ReturnType<typeof memoryStorage>, version = 1) =>
  createPersistedStore({ key: "n", version, initial: 0, parse: numbers, storage });

describe("a persisted store", () => {
  it("has its value again after a reload", () => {
    const storage = memoryStorage();
    open(storage).update(() => 7);
    expect(open(storage).get()).toBe(7);
  });

  it("starts over if another version, invalid data or no JSON is stored", () => {
    for (const text of ['{"version":2,"value":7}', '{"version":1,"value":"x"}', "{", "null", '"7"']) {
      expect(open(memoryStorage({ n: text })).get()).toBe(0);
    }
  });

  it("adds to what another tab has stored meanwhile", () => {
    const storage = memoryStorage();
    const one = open(storage);
    const other = open(storage);
    one.update((n) => n + 1);
    expect(other.update((n) => n + 1)).toBe(2);
  });

  it("continues in memory when the storage throws", () => {
    const broken = {
      getItem: () => {
        throw new Error("denied");
      },
      setItem: () => {
        throw new Error("full");
      },
    };
    const store = createPersistedStore({ key: "n", version: 1, initial: 0, parse: numbers, storage: broken });
    store.update(() => 3);
    expect(store.update((n) => n + 1)).toBe(4);
  });

  it("notifies listeners of changes only", () => {
    const store = open(memoryStorage());
    let told = 0;
    const stop = store.subscribe(() => told++);
    store.update((n) => n);
    store.update(() => 1);
    stop();
    store.update(() => 2);
    expect(told).toBe(1);
  });
});
