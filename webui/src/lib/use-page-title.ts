import { useEffect } from "react";
import { BRAND } from "./brand";

/** The name of this page for the tab, the history and screen readers. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · ${BRAND}`;
  }, [title]);
}
