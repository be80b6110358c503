// Takes pictures of every page, on a phone and a desktop, light and dark, into target/screenshots.
//
//   BASE_URL=http://127.0.0.1:3000 npm run screenshots [name…]
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";
import { chromiumFlags, chromiumPath } from "./chromium.mjs";

const BASE_URL = process.env.BASE_URL ?? "http://127.0.0.1:3000";
const OUT = process.env.SCREENSHOTS ?? fileURLToPath(new URL("../../target/screenshots/", import.meta.url));
const only = process.argv.slice(2);

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 860 } };

const browser = await chromium.launch({
  args: chromiumFlags,
  ...(chromiumPath ? { executablePath: chromiumPath } : {}),
});
mkdirSync(OUT, { recursive: true });

for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({
      viewport,
      colorScheme,
      hasTouch: size === "phone",
      isMobile: size === "phone",
    });
    const page = await context.newPage();
    page.on("console", (message) => {
      if (message.type() === "error") console.log(`${size} ${colorScheme} ${page.url()}: ${message.text()}`);
    });
    page.on("pageerror", (error) => console.log(`${size} ${colorScheme} ${page.url()}: ${error.message}`));
    const shoot = async (name, options = {}) => {
      if (only.length > 0 && !only.some((it) => name.startsWith(it))) return;
      await page.evaluate(() => window.scrollTo({ top: 0, behavior: "instant" }));
      await page.waitForTimeout(700);
      await page.screenshot({
        path: `${OUT}/${name}-${size}-${colorScheme}.png`,
        fullPage: true,
        ...options,
      });
    };

    await page.goto(`${BASE_URL}/`);
    await page.getByRole("button", { name: "Add Pizza Margherita" }).waitFor();
    await shoot("menu");
    await page.getByRole("button", { name: "Add Pizza Margherita" }).click();
    await page.getByRole("button", { name: "One more Pizza Margherita" }).first().click();
    await page.getByRole("button", { name: "Add Tiramisù" }).click();
    await page.evaluate(() => window.scrollTo(0, 0));
    await shoot("menu-cart", { fullPage: false });
    await page.getByRole("button", { name: "Add Elote" }).click();
    await shoot("menu-switch", { fullPage: false });
    await page.getByRole("button", { name: "Keep my order" }).click();

    await page.goto(`${BASE_URL}/checkout`);
    await page.getByRole("button", { name: "Place order" }).click();
    await shoot("checkout-errors");
    await page.getByRole("radio", { name: /Japantown/ }).click();
    await page.getByRole("radio", { name: "At a time" }).click();
    await shoot("checkout");
    await page.getByRole("radio", { name: /^Now/ }).click();
    await page.getByRole("button", { name: "Place order" }).click();
    await page.waitForURL(/orders\//);
    await page.waitForTimeout(2500);
    await shoot("order-early");
    if (only.length === 0 || only.some((it) => "order-driver".startsWith(it) || it.startsWith("order-d"))) {
      await page.getByText("Your food is on its way").first().waitFor({ timeout: 120_000 });
      await page.waitForTimeout(4000);
      await shoot("order-driver");
      await page.getByText("Delivered. Enjoy!").first().waitFor({ timeout: 120_000 });
      await shoot("order-delivered");
    } else {
      await page.getByRole("button", { name: "Cancel order" }).click();
      await shoot("order-cancel", { fullPage: false });
      await page.getByRole("button", { name: "Yes, cancel" }).click();
      await page.getByText("Your order was cancelled").first().waitFor();
      await shoot("order-ended");
    }
    await page.goto(`${BASE_URL}/orders`);
    await shoot("orders");
    await page.goto(`${BASE_URL}/orders/no-such-order`);
    await page.getByText("We do not know this order").waitFor();
    await shoot("order-unknown");
    await page.goto(`${BASE_URL}/operations`);
    await page.waitForTimeout(2500);
    await shoot("operations");
    await context.close();
  }
}
await browser.close();
