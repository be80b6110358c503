// Which Chromium drives the tests and the screenshots: the one named, Debian's, or Playwright's own, in that order.
import { existsSync } from "node:fs";

/** The path of the Chromium on this machine; `undefined` for Playwright's own. */
export const chromiumPath = [process.env.CHROMIUM_PATH, "/usr/bin/chromium"].find(
  (path) => path && existsSync(path),
);

/** Flags with which Chromium runs as root in a container, and asks nobody on the network for anything. */
export const chromiumFlags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
