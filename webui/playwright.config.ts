import { defineConfig } from "@playwright/test";
import { chromiumFlags, findChromium } from "./scripts/chromium.mjs";

const chromium = findChromium();

/**
 * Tests of the whole system in a real Chromium.
 *
 *   FOOD_ORDERING_BIN    the launcher that starts the system; the debug build if not set
 *   DATA_DIR             the data directory of a running system, such as .food-ordering: then none is started
 *   OPERATOR_TOKEN       the operators' token, if that system's gateway requires it
 *   CHROMIUM_PATH        the Chromium to use; otherwise this machine's, or else Playwright's own
 */
export default defineConfig({
  testDir: "e2e",
  outputDir: "../target/playwright",
  globalSetup: "./e2e/global-setup.ts",
  // The tests break and heal one shared system, so they run one after another.
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 20_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: [["list"]],
  use: {
    // Set by the global set-up, before the tests' process reads this.
    baseURL: process.env.BASE_URL ?? "",
    // Screenshots of failed tests are in target/playwright; `npx playwright test --trace on` records more.
    screenshot: "only-on-failure",
    launchOptions: { args: chromiumFlags, ...(chromium ? { executablePath: chromium } : {}) },
  },
  projects: [
    { name: "desktop", use: { viewport: { width: 1280, height: 860 } } },
    {
      name: "phone",
      use: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: "dark" },
      // The tests that depend on the width of the screen.
      testMatch: ["order.spec.ts", "accessibility.spec.ts"],
    },
  ],
});
