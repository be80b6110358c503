import { Outdated } from "@/components/ui/outdated";
import { useLazy } from "@/lib/use-lazy";
import { Waiting } from "../components/waiting";

const load = () => import("./operations");

/** The operations page; its code is for operators only. */
export function LazyOperations() {
  const page = useLazy(load);
  if (page === "outdated") return <Outdated />;
  return page === null ? <Waiting text="Loading operations …" /> : <page.Operations />;
}
