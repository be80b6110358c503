// Which Chromium the tests use: the one in CHROMIUM_PATH, one on this machine, or Playwright's own, in that order.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

// First the headless shell, which Playwright prefers too: the others draw a window that nobody sees, for each test.
const NAMES = [
  "chromium-headless-shell",
  "chromium",
  "chromium-browser",
  "google-chrome-stable",
  "google-chrome",
];

/** The path of the Chromium to use; `undefined` for Playwright's own, if this machine has none. */
export function findChromium() {
  const named = process.env.CHROMIUM_PATH;
  if (named) return named;
  const directories = (process.env.PATH ?? "").split(delimiter);
  return NAMES.flatMap((name) => directories.map((directory) => join(directory, name))).find((path) =>
    existsSync(path),
  );
}

/** Flags with which Chromium runs as root in a container and sends no network requests of its own. */
export const chromiumFlags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
