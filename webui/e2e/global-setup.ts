import { endpoint, startSystem } from "./system";

/** Starts the system that is tested, unless `DATA_DIR` names that of one which runs already; returns what ends it. */
export default async function setUp(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.DATA_DIR === undefined) return startSystem();
  process.env.BASE_URL = endpoint("gateway");
  return undefined;
}
