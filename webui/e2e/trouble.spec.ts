import {
  add,
  expect,
  expectDelivered,
  fillCheckout,
  headline,
  order,
  placedOrder,
  screenshot,
  test,
} from "./support";
import { killGateway } from "./system";

test.use({ allowedErrors: /ERR_|Failed to load resource/ });

const LOST = "We lost the connection to the kitchen.";

test("when the gateway is killed in the middle of an order, the page continues by itself where it was", async ({
  page,
}) => {
  const resumed: Array<string | undefined> = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/events")) resumed.push(request.headers()["last-event-id"]);
  });
  await order(page, "Pizza Margherita", { where: /^Heritage Plaza/ });
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await expect(page.locator('[data-status="IN_PREPARATION"]')).toHaveAttribute("data-state", /done|current/);
  expect(resumed).toEqual([undefined]);

  const restart = killGateway();
  try {
    await expect(page.getByText(LOST)).toBeVisible();
    await expect(page.getByText("Reconnecting")).toBeVisible();
    await screenshot(page, "order-gateway-gone");
  } finally {
    restart();
  }
  await expect(page.getByText(LOST)).toHaveCount(0);
  await expectDelivered(page);
  await expect(
    page.getByRole("region", { name: "Timeline" }).locator('[data-state="done"] time'),
  ).toHaveCount(7);
  // The page told the new gateway the last event that it had received.
  expect(Number(resumed.at(-1))).toBeGreaterThanOrEqual(3);
});

test("while the gateway is gone, a banner says so; nothing typed is lost, and the order goes through afterwards", async ({
  page,
}) => {
  await add(page, "Lasagne");
  await fillCheckout(page, { where: /^Kelley Park/, when: "In 15 seconds" });
  const restart = killGateway();
  try {
    await page.getByRole("button", { name: "Place order" }).click();
    await expect(page.getByText(LOST)).toBeVisible();
    await expect(page.getByText("Not confirmed yet")).toBeVisible();
    await screenshot(page, "checkout-gateway-gone");
    await expect(page.getByRole("radio", { name: /^Kelley Park/ })).toBeChecked();
    await expect(page.getByRole("radio", { name: /^In 15 seconds/ })).toBeChecked();
    await expect(page.getByText("1 dish from La Piazza")).toBeVisible();
  } finally {
    restart();
  }
  await placedOrder(page);
  await expect(page.getByText(LOST)).toHaveCount(0);
  await page.getByRole("button", { name: "Cancel order" }).click();
  await page.getByRole("button", { name: "Yes, cancel" }).click();
  await expect(headline(page)).toHaveText("Your order was cancelled");
});

test("a menu that could not be loaded appears by itself when the gateway is back", async ({ page }) => {
  await page.route(/\/(api|health)/, (route) => route.abort("connectionrefused"));
  await page.goto("/");
  await expect(page.getByText(LOST)).toBeVisible();
  await page.unroute(/\/(api|health)/);
  await expect(page.getByRole("button", { name: "Add Pizza Margherita" })).toBeVisible();
});

test("a page from before an update of the gateway asks to be reloaded when it needs code that is gone", async ({
  page,
}) => {
  const code = /\/assets\/leaflet-map-.*\.js$/;
  await page.route(code, (route) => route.fulfill({ status: 404, contentType: "application/problem+json" }));
  await add(page, "Lasagne");
  await fillCheckout(page);
  await expect(page.getByText("This page has been updated")).toBeVisible();
  await expect(page.getByText(LOST)).toHaveCount(0);
  await page.unroute(code);
  await page.getByRole("button", { name: "Reload the page" }).click();
  await expect(page.getByText("This page has been updated")).toHaveCount(0);
  await expect(page.locator(".leaflet-container")).toBeVisible();
});

test("an unknown order is reported as unknown, with a link to the menu", async ({ page }) => {
  await page.goto("/orders/00000000-0000-4000-8000-000000000000");
  await expect(headline(page)).toHaveText("We do not know this order");
  await screenshot(page, "order-unknown");
  await page.getByRole("main").getByRole("link", { name: "See the menu" }).click();
  await expect(page.getByRole("button", { name: "Add Pizza Margherita" })).toBeVisible();
});

test("a page that does not exist leads back to the menu", async ({ page }) => {
  await page.goto("/nowhere");
  await expect(headline(page)).toHaveText("There is nothing here");
});

for (const [name, hours] of [
  ["two hours fast", 2],
  ["two hours slow", -2],
] as const) {
  test(`a device whose clock is ${name} gets a notice, and the countdown is still right`, async ({
    page,
  }) => {
    await page.addInitScript((ms) => {
      const Right = Date;
      class Wrong extends Right {
        constructor(...args: [] | [number]) {
          if (args.length === 0) super(Right.now() + ms);
          else super(...args);
        }
        static override now = () => Right.now() + ms;
      }
      globalThis.Date = Wrong as DateConstructor;
    }, hours * 3_600_000);
    await order(page, "Elote", { when: "In 15 seconds" });
    // Neither two hours ahead nor already past.
    await expect(page.getByText(/^The kitchen begins in (1[0-5]|[2-9]) s$/)).toBeVisible();
    await expect(page.getByText(/The clock of this device is 2 h 00 min/)).toBeVisible();
  });
}
