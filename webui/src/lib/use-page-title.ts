import { useEffect } from "react";
import { BRAND } from "./brand";

/** What the tab, the history and a screen reader call this page. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${BRAND}`;
  }, [title]);
}
