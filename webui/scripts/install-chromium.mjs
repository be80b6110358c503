// Makes sure that there is a Chromium for the tests: the machine's, otherwise Debian's package, otherwise Playwright's own.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromium } from "@playwright/test";
import { findChromium } from "./chromium.mjs";

/** Runs a command. Returns whether it succeeded. */
function run(program, ...args) {
  console.log(`$ ${[program, ...args].join(" ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync(program, args, { stdio: "inherit", env }).status === 0;
}

const isDebian = existsSync("/etc/debian_version");
const isRoot = process.getuid?.() === 0;

function install() {
  if (isDebian && isRoot) {
    console.log("There is no Chromium on this machine: installing Debian's package.");
    const add = (name) => run("apt-get", "install", "--yes", "--no-install-recommends", name);
    // Not every release of Debian has the headless shell.
    const isInstalled =
      run("apt-get", "update") && (add("chromium-headless-shell") || add("chromium")) && findChromium();
    if (isInstalled) return true;
  }
  console.log("Installing Playwright's own Chromium.");
  return run("npx", "playwright", "install", ...(isRoot ? ["--with-deps"] : []), "chromium");
}

const found = findChromium();
if (found && !existsSync(found)) {
  console.error(`CHROMIUM_PATH is ${found}, but that file does not exist.`);
  process.exitCode = 1;
} else if (!found && !existsSync(chromium.executablePath()) && !install()) {
  const how = isDebian ? "sudo apt-get install chromium" : "npx playwright install chromium";
  console.error(
    `The tests need Chromium, and it could not be installed. Install it (${how}) or set CHROMIUM_PATH=/path/to/chromium`,
  );
  process.exitCode = 1;
}
