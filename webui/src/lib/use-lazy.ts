import { useEffect, useState } from "react";
import { connectivity } from "./connectivity";

const loaded = new Map<() => Promise<unknown>, unknown>();

/**
 * Code that is loaded only when needed, `null` until then. Unlike `React.lazy` it tries again, so a gateway that was gone for a
 * moment does not break the page.
 *
 * @param load must always be the same function, not a new one at each call
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
