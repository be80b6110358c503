import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { type APIRequestContext, test as base, expect, type Page, type Request } from "@playwright/test";
import type axe from "axe-core";

export { expect };

export const DELIVERED_WITHIN = 90_000;

const SCREENSHOTS = fileURLToPath(new URL("../../target/screenshots/", import.meta.url));

/**
 * A test that fails if its page logs an error on the console or sends a request to a third party. The orders that it leaves behind
 * are cancelled, so that the drivers are free for the next test.
 */
export const test = base.extend<{ allowedErrors: RegExp | null }>({
  /** Console errors that are allowed. */
  allowedErrors: [null, { option: true }],
  page: async ({ page, baseURL, request, allowedErrors }, use) => {
    const complaints: string[] = [];
    const placed = new Set<string>();
    const note = (text: string) => {
      if (!allowedErrors?.test(text)) complaints.push(text);
    };
    page.on("console", (message) => {
      if (message.type() === "error") note(message.text());
    });
    page.on("pageerror", (error) => note(String(error)));
    page.on("request", (request) => {
      const { protocol, host } = new URL(request.url());
      if (protocol.startsWith("http") && host !== new URL(baseURL ?? "").host)
        note(`third party: ${request.url()}`);
    });
    page.on("response", (response) => {
      if (placesOrder(response.request()) && response.ok()) placed.add(orderIdIn(response.request()));
    });
    await use(page);
    for (const orderId of placed) await request.post(`/api/orders/${orderId}/cancel`);
    expect(complaints).toEqual([]);
  },
});

/** Takes a picture of the whole page, for people to look at. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const scheme = await page.locator("html").getAttribute("data-scheme");
  const path = `${SCREENSHOTS}${name}-${test.info().project.name}-${scheme}.png`;
  mkdirSync(dirname(path), { recursive: true });
  // Otherwise elements that stick to an edge of the window would be in the middle of the picture.
  await page.evaluate(() => window.scrollTo({ top: 0, behavior: "instant" }));
  await page.screenshot({ path, fullPage: true });
}

/** Puts a dish into the cart, from the menu. */
export async function add(page: Page, dish: string): Promise<void> {
  await page.goto("/");
  await page.getByRole("button", { name: `Add ${dish}` }).click();
  await expect(page.getByRole("button", { name: `One more ${dish}` }).first()).toBeVisible();
}

export interface Choices {
  where?: string | RegExp;
  when?: "Now" | "In 5 seconds" | "In 15 seconds";
}

/** Fills in the checkout. */
export async function fillCheckout(
  page: Page,
  { where = /^City Hall/, when = "Now" }: Choices = {},
): Promise<void> {
  await page.goto("/checkout");
  await page.getByRole("radio", { name: where }).check();
  await page.getByRole("radio", { name: new RegExp(`^${when}`) }).check();
}

/** Orders a dish. Returns the order's id. */
export async function order(page: Page, dish: string, choices: Choices = {}): Promise<string> {
  await add(page, dish);
  await fillCheckout(page, choices);
  await page.getByRole("button", { name: "Place order" }).click();
  return placedOrder(page);
}

/** Waits until the order is placed. Returns its id. */
export async function placedOrder(page: Page): Promise<string> {
  await page.waitForURL(/\/orders\/[^/]+$/);
  return new URL(page.url()).pathname.split("/").pop() ?? "";
}

/** The main heading; on the page of an order, it shows the order's state. */
export const headline = (page: Page) => page.getByRole("heading", { level: 1 });

export const expectDelivered = (page: Page) =>
  expect(headline(page)).toHaveText("Delivered. Enjoy!", { timeout: DELIVERED_WITHIN });

export interface FaultPlan {
  [fault: string]: number;
}

/** Makes a stub fail. */
export async function setFaults(
  request: APIRequestContext,
  stub: "payment" | "restaurant",
  plan: FaultPlan,
): Promise<void> {
  const token = process.env.OPERATOR_TOKEN;
  const response = await request.put(`/api/operations/faults/${stub}`, {
    data: plan,
    headers: token ? { authorization: `Bearer ${token}` } : {},
  });
  expect(response.ok(), await response.text()).toBe(true);
}

/** Whether a request places an order. */
export const placesOrder = (request: Request): boolean =>
  request.method() === "POST" && new URL(request.url()).pathname === "/api/orders";

export const orderIdIn = (request: Request): string =>
  String((request.postDataJSON() as { orderId?: unknown }).orderId);

const { source } = createRequire(import.meta.url)("axe-core") as typeof axe;

/** Checks the page as it is now with axe, which must find nothing. Also takes a picture of it. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  await screenshot(page, what.replaceAll(" ", "-"));
  await page.evaluate(source);
  const violations = await page.evaluate(async () => {
    const run = (globalThis as unknown as { axe: typeof axe }).axe.run;
    const results = await run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    });
    return results.violations.map(({ id, help, nodes }) => ({
      id,
      help,
      nodes: nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary ?? ""}`),
    }));
  });
  expect(violations, what).toEqual([]);
}
