import { DELIVERED_WITHIN, expect, expectDelivered, headline, order, screenshot, test } from "./support";

test("an order is followed from the menu to the door, with a reload in the middle", async ({ page }) => {
  await page.goto("/");
  await page.getByRole("button", { name: "Add Pizza Margherita" }).click();
  await page.getByRole("button", { name: "One more Pizza Margherita" }).first().click();
  await page.getByRole("button", { name: "Add Tiramisù" }).click();
  await page.getByRole("link", { name: /^Cart, 3 dishes/ }).click();

  await expect(headline(page)).toHaveText("Checkout");
  await page.getByRole("radio", { name: /^Japantown/ }).check();
  await page.getByRole("radio", { name: /^In 5 seconds/ }).check();
  await expect(page.getByRole("complementary", { name: "Summary" }).locator("output")).toHaveText("$32.25");
  await screenshot(page, "checkout");
  await page.getByRole("button", { name: "Place order" }).click();

  await page.waitForURL(/\/orders\/[0-9a-f-]{36}(#key=.+)?$/);
  const timeline = page.getByRole("region", { name: "Timeline" });
  await expect(timeline.locator('[data-status="CREATED"]')).toHaveAttribute("data-state", /done|current/);
  await expect(page.getByText("2 × Pizza Margherita")).toBeVisible();

  await page.reload();
  await expect(timeline.locator('[data-status="IN_PREPARATION"]')).toHaveAttribute(
    "data-state",
    /done|current/,
    {
      timeout: DELIVERED_WITHIN,
    },
  );
  await expect(timeline.locator('[data-status="CREATED"] time')).toBeVisible();

  await expect(page.locator('[data-pin="driver"]')).toBeVisible({ timeout: DELIVERED_WITHIN });
  await expect(page.locator('[data-pin="restaurant"]')).toBeVisible();
  await expect(page.locator('[data-pin="customer"]')).toBeVisible();
  await screenshot(page, "order-driver");

  await expectDelivered(page);
  await expect(timeline.locator('[data-state="done"]')).toHaveCount(7);
  await expect(page.getByRole("button", { name: "Cancel order" })).toHaveCount(0);
  await expect(page).toHaveTitle(/^Delivered/);
  await screenshot(page, "order-delivered");

  await page.getByRole("navigation").getByRole("link", { name: "My orders" }).click();
  const mine = page.getByRole("main").getByRole("listitem").first();
  await expect(mine).toContainText("La Piazza");
  await expect(mine).toContainText("$32.25");
  await expect(mine).toContainText("Delivered");
  await expect(page.getByRole("link", { name: /^Cart, 0 dishes/ })).toBeVisible();
});

test("an order is shown to whoever has its address", async ({ page, browser, baseURL }) => {
  const id = await order(page, "Elote", { when: "In 15 seconds" });
  await expect(headline(page)).toHaveText("Paid and scheduled");
  const someoneElse = await browser.newContext(baseURL ? { baseURL } : {});
  const other = await someoneElse.newPage();
  await other.goto(`/orders/${id}`);
  await expect(headline(other)).toHaveText("Paid and scheduled");
  await other.goto("/orders");
  await expect(other.getByText("No orders on this device yet.")).toBeVisible();
  await someoneElse.close();
  await page.getByRole("button", { name: "Cancel order" }).click();
  await page.getByRole("button", { name: "Yes, cancel" }).click();
  await expect(headline(page)).toHaveText("Your order was cancelled");
});
