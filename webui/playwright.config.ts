import { defineConfig } from "@playwright/test";
import { chromiumFlags, findChromium } from "./scripts/chromium.mjs";

const chromium = findChromium();

/**
 * The whole system as people meet it, in a real Chromium.
 *
 *   FOOD_ORDERING_BIN    the launcher that starts the system; the debug build if not set
 *   DATA_DIR             the data directory of a system that runs already, such as .food-ordering: then none is started
 *   OPERATOR_TOKEN       the operators' token, if its gateway asks for one
 *   CHROMIUM_PATH        the Chromium to use; else this machine's, else Playwright's own
 */
export default defineConfig({
  testDir: "e2e",
  outputDir: "../target/playwright",
  globalSetup: "./e2e/global-setup.ts",
  // The tests break and heal the one system there is, so they take turns.
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: [["list"]],
  use: {
    // Set by the global set-up, before the tests' process reads this.
    baseURL: process.env.BASE_URL ?? "",
    // What a failed test saw lies in target/playwright; `npx playwright test --trace on` records more.
    screenshot: "only-on-failure",
    launchOptions: { args: chromiumFlags, ...(chromium ? { executablePath: chromium } : {}) },
  },
  projects: [
    { name: "desktop", use: { viewport: { width: 1280, height: 860 } } },
    {
      name: "phone",
      use: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: "dark" },
      // What depends on the width of the screen; the rest is the same at any.
      testMatch: ["order.spec.ts", "accessibility.spec.ts"],
    },
  ],
});
