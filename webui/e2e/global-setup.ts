import { endpoint, startSystem } from "./system";

/** Starts the system under test, unless `DATA_DIR` is the data directory of a running one. Returns a function that stops it. */
export default async function setUp(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.DATA_DIR === undefined) return startSystem();
  process.env.BASE_URL = endpoint("gateway");
  return undefined;
}
