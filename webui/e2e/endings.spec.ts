import { expect, expectAccessible, headline, order, screenshot, setFaults, test } from "./support";

test("an order is cancelled while that is possible, and the money goes back", async ({ page }) => {
  await order(page, "Quesadilla", { when: "In 15 seconds" });
  await expect(headline(page)).toHaveText("Paid and scheduled");
  await page.getByRole("button", { name: "Cancel order" }).click();
  await page.getByRole("button", { name: "Keep it" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);

  await page.getByRole("button", { name: "Cancel order" }).click();
  await page.getByRole("button", { name: "Yes, cancel" }).click();
  await expect(headline(page)).toHaveText("Your order was cancelled");
  await expect(page.getByText("The $9.75 you paid goes back to your card.").last()).toBeVisible();
  await expect(page.locator('[data-status="CANCELLED"]')).toHaveAttribute("data-state", "ended");
  await expect(page.getByRole("button", { name: "Cancel order" })).toHaveCount(0);
  await screenshot(page, "order-cancelled");

  await page.reload();
  await expect(headline(page)).toHaveText("Your order was cancelled");
});

test("a cancellation that comes too late is refused with the reason", async ({ page }) => {
  await order(page, "Horchata", { when: "In 15 seconds" });
  await page.route("**/api/orders/*/cancel", (route) =>
    route.fulfill({
      status: 409,
      contentType: "application/problem+json",
      json: {
        title: "The order cannot be cancelled",
        detail: "the driver has it already",
        orderStatus: "IN_DELIVERY",
      },
    }),
  );
  await page.getByRole("button", { name: "Cancel order" }).click();
  await page.getByRole("button", { name: "Yes, cancel" }).click();
  await expect(page.getByText("The driver has it already.")).toBeVisible();
  await page.unroute("**/api/orders/*/cancel");
  await page.getByRole("button", { name: "Cancel order" }).click();
  await page.getByRole("button", { name: "Yes, cancel" }).click();
  await expect(headline(page)).toHaveText("Your order was cancelled");
});
test.use({ allowedErrors: /status of 409/ });

test.describe("a payment provider that declines every card", () => {
  test.beforeEach(({ request }) => setFaults(request, "payment", { declineRate: 1 }));
  test.afterEach(({ request }) => setFaults(request, "payment", { declineRate: 0 }));

  test("ends the order as rejected, with the reason and nothing charged", async ({ page }) => {
    await order(page, "Lasagne");
    await expect(headline(page)).toHaveText("Your order was rejected", { timeout: 60_000 });
    await expect(page.getByText("You have not been charged.").last()).toBeVisible();
    await expect(
      page.getByRole("region", { name: "Your order was rejected" }).getByText(/declined/i),
    ).toBeVisible();
    await screenshot(page, "order-rejected");
    await page.goto("/orders");
    await expect(page.getByRole("main").getByRole("listitem").first()).toContainText("Rejected");
  });
});

test.describe("a restaurant that refuses every order", () => {
  test.beforeEach(({ request }) => setFaults(request, "restaurant", { rejectRate: 1 }));
  test.afterEach(({ request }) => setFaults(request, "restaurant", { rejectRate: 0 }));

  test("ends the order as rejected, and the money goes back", async ({ page }) => {
    await order(page, "Bánh Mì");
    await expect(headline(page)).toHaveText("Your order was rejected", { timeout: 60_000 });
    await expect(page.getByText("The $9.95 you paid goes back to your card.").last()).toBeVisible();
  });
});

test.describe("a payment provider that fails", () => {
  test.beforeEach(({ request }) => setFaults(request, "payment", { errorRate: 1 }));
  test.afterEach(({ request }) => setFaults(request, "payment", { errorRate: 0 }));

  test("delays the order, which says so and continues when the provider is back", async ({
    page,
    request,
  }) => {
    await order(page, "Elote");
    const region = page.getByRole("region", { name: "Got it! Taking the payment" });
    await expect(region.getByText("Delayed.")).toBeVisible({ timeout: 40_000 });
    await expect(region.getByText(/The payment is taking longer than usual/)).toBeVisible();
    await expect(page.getByRole("main").getByRole("status").first()).toContainText(
      "The payment is taking longer",
    );
    await expectAccessible(page, "order delayed");
    await setFaults(request, "payment", { errorRate: 0 });
    await expect(page.locator('[data-status="IN_PREPARATION"]')).toHaveAttribute(
      "data-state",
      /done|current/,
      { timeout: 40_000 },
    );
    await expect(page.getByText("Delayed.")).toHaveCount(0);
  });
});
