import { defineConfig } from "@playwright/test";
import { chromiumFlags, chromiumPath } from "./scripts/chromium.mjs";

/**
 * The whole system as people meet it, in a real Chromium.
 *
 *   BASE_URL             where the gateway is; http://127.0.0.1:3000 if not set
 *   GATEWAY_RESTART_CMD  a command that stops the gateway and starts it again; without it that test is skipped
 *   OPERATOR_TOKEN       the operators' token, if the gateway asks for one
 *   DELIVERED_WITHIN_MS  how long an order may take; three minutes if not set
 *   CHROMIUM_PATH        the Chromium to use; else Debian's, else Playwright's own
 */
export default defineConfig({
  testDir: "e2e",
  outputDir: "../target/playwright",
  // The tests break and heal the one system there is, so they take turns.
  workers: 1,
  timeout: 300_000,
  expect: { timeout: 20_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: [["list"]],
  use: {
    baseURL: process.env.BASE_URL ?? "http://127.0.0.1:3000",
    trace: "retain-on-failure",
    launchOptions: { args: chromiumFlags, ...(chromiumPath ? { executablePath: chromiumPath } : {}) },
  },
  projects: [
    { name: "desktop", use: { viewport: { width: 1280, height: 860 } } },
    {
      name: "phone",
      use: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
      // What depends on the width of the screen; the rest is the same at any.
      testMatch: ["order.spec.ts", "accessibility.spec.ts"],
    },
  ],
});
