import { useEffect, useState } from "react";
import { connectivity } from "./connectivity";

const loaded = new Map<() => Promise<unknown>, unknown>();

/**
 * Code that comes only when it is needed, `null` until then. Unlike `React.lazy` it asks again: a gateway that was gone for a
 * moment must not take the page with it.
 *
 * @param load always the same function, not one made anew at each call
 */
export function useLazy<T extends object>(load: () => Promise<T>): T | null {
  const [value, setValue] = useState(() => (loaded.get(load) as T | undefined) ?? null);
  useEffect(() => {
    if (value !== null) return;
    const ask = () => {
      load().then(
        (module) => {
          loaded.set(load, module);
          setValue(() => module);
        },
        () => connectivity.reportGone(),
      );
    };
    ask();
    return connectivity.onBack(ask);
  }, [load, value]);
  return value;
}
