import { Dashboard } from "@/features/operations/components/dashboard";
import { usePageTitle } from "@/lib/use-page-title";
import { PageTitle } from "../components/page-title";

export function Operations() {
  usePageTitle("Operations");
  return (
    <>
      <PageTitle>Operations</PageTitle>
      <Dashboard />
    </>
  );
}
