import { useEffect, useState } from "react";
import { connectivity } from "./connectivity";

const loaded = new Map<() => Promise<unknown>, unknown>();

/**
 * Code that is loaded only when needed, `null` until then. Unlike `React.lazy` it tries again, so a gateway that was gone for a
 * moment does not break the page. `"outdated"` means that the gateway answers but does not have the code: it has a newer page now.
 *
 * @param load must always be the same function, not a new one at each call
 */
export function useLazy<T extends object>(load: () => Promise<T>): T | "outdated" | null {
  const [value, setValue] = useState<T | "outdated" | null>(
    () => (loaded.get(load) as T | undefined) ?? null,
  );
  const isLoaded = value !== null && value !== "outdated";
  useEffect(() => {
    if (isLoaded) return;
    let hasFailed = false;
    const ask = () => {
      load().then(
        (module) => {
          loaded.set(load, module);
          setValue(() => module);
        },
        () => {
          if (hasFailed) setValue("outdated");
          else connectivity.reportGone();
          hasFailed = true;
        },
      );
    };
    ask();
    return connectivity.onAnswer(ask);
  }, [load, isLoaded]);
  return value;
}
