import { execFile, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The launcher: named by `FOOD_ORDERING_BIN`, or the debug build. */
export const LAUNCHER =
  process.env.FOOD_ORDERING_BIN ??
  fileURLToPath(new URL("../../target/debug/food-ordering", import.meta.url));
/** The test rig, beside the launcher. */
const TRIALS = join(dirname(LAUNCHER), "trials");
const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const READY_WITHIN_MS = 120_000;
/** Quick enough for tests, slow enough that each stage can be seen. */
const PACE = [
  "--drivers=4",
  "--region=San Jose (CA)",
  "--poll-interval=1s",
  "--preparation-time=1s",
  "--move-interval=400ms",
  "--pause=0s",
  // This broker starts at once.
  "--kafka=in-memory",
];

/** Starts a separate system on free ports and passes its addresses to the tests. Returns a function that stops it. */
export async function startSystem(): Promise<() => Promise<void>> {
  const directory = mkdtempSync(join(tmpdir(), "food-ordering-webui-"));
  const output = join(directory, "up.out");
  const file = openSync(output, "w");
  const up = spawn(LAUNCHER, ["up", "--free-ports", `--data-dir=${directory}`, `--web-ui=${DIST}`, ...PACE], {
    stdio: ["ignore", file, file],
    // However the tests end, it does not outlive them.
    env: { ...process.env, FOOD_ORDERING_PARENT: String(process.pid) },
  });
  let end: string | null = null;
  const ended = new Promise<void>((resolve) => {
    const note = (how: string) => {
      end = how;
      resolve();
    };
    up.once("exit", (code, signal) => note(`ended with ${signal ?? code}`));
    up.once("error", (error) => note(`could not be started: ${error.message}`));
  });
  const stop = async () => {
    // Its parts end with it, and the orders under way are not needed.
    up.kill("SIGKILL");
    await ended;
    rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
  process.env.DATA_DIR = directory;
  for (const deadline = Date.now() + READY_WITHIN_MS; ; await sleep(50)) {
    try {
      process.env.BASE_URL = endpoint("gateway");
      return stop;
    } catch {
      // Not ready yet: the file is there once everything is.
    }
    if (end === null && Date.now() < deadline) continue;
    const said = readFileSync(output, "utf8");
    await stop();
    throw new Error(`${LAUNCHER} up ${end ?? "is not ready in time"}:\n${said}`);
  }
}

const read = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(process.env.DATA_DIR ?? "", name), "utf8"));

/** The address of a part of the system. */
export function endpoint(part: string): string {
  const address = read("endpoints.json")[part];
  if (typeof address !== "string") throw new Error(`there is no ${part}`);
  return address;
}

/** Kills the gateway with `kill -9` and stops the launcher, which would restart it. Returns a function that resumes it. */
export function killGateway(): () => void {
  const pids = read("processes.json");
  const [launcher, gateway] = [Number(pids.launcher), Number(pids.gateway)];
  if (!(launcher > 0 && gateway > 0)) throw new Error(`no such processes: ${JSON.stringify(pids)}`);
  process.kill(launcher, "SIGSTOP");
  process.kill(gateway, "SIGKILL");
  return () => process.kill(launcher, "SIGCONT");
}

/** Publishes an invalid order event, as an ordering provider might. Returns once the order is rejected. */
export async function publishInvalidOrder(): Promise<void> {
  await promisify(execFile)(TRIALS, [
    "load",
    "--orders=1",
    "--invalid",
    "--timeout=60s",
    `--kafka-brokers=${endpoint("kafka")}`,
  ]);
}
