import { add, expect, expectAccessible, fillCheckout, headline, order, placedOrder, test } from "./support";

test.use({ allowedErrors: /status of 404/ });

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`in ${colorScheme} colours`, () => {
    test.use({ colorScheme, reducedMotion: "reduce" });

    test("axe finds nothing on any page", async ({ page }) => {
      await page.goto("/");
      await expect(page.getByRole("button", { name: "Add Pizza Margherita" })).toBeVisible();
      await expectAccessible(page, "menu");
      await add(page, "Pizza Margherita");
      await expectAccessible(page, "menu with a cart");
      await page.getByRole("button", { name: "Add Elote" }).click();
      await expectAccessible(page, "question before switching");
      await page.getByRole("button", { name: "Keep my order" }).click();

      await page.goto("/checkout");
      await expect(page.getByRole("application")).toBeVisible();
      await page.getByRole("button", { name: "Place order" }).click();
      await expectAccessible(page, "checkout with errors");
      await fillCheckout(page, { when: "In 15 seconds" });
      await page.getByRole("radio", { name: /^At a set time/ }).check();
      await expectAccessible(page, "checkout");
      await page.getByRole("radio", { name: /^In 15 seconds/ }).check();
      await page.getByRole("button", { name: "Place order" }).click();
      await placedOrder(page);
      await expect(headline(page)).toHaveText("Paid and scheduled");
      await expect(page.getByRole("application")).toBeVisible();
      await expectAccessible(page, "order");
      await page.getByRole("button", { name: "Cancel order" }).click();
      await expectAccessible(page, "question before cancelling");
      await page.getByRole("button", { name: "Yes, cancel" }).click();
      await expect(headline(page)).toHaveText("Your order was cancelled");
      await expectAccessible(page, "cancelled order");

      await page.goto("/orders");
      await expect(page.getByRole("button", { name: /^Order again/ })).toBeVisible();
      await expectAccessible(page, "my orders");
      await page.goto("/orders/unknown");
      await expect(headline(page)).toHaveText("We do not know this order");
      await expectAccessible(page, "unknown order");
      await page.goto("/operations");
      await expect(page.getByRole("application")).toBeVisible();
      await expect(page.getByRole("slider", { name: "Declines cards" })).toBeVisible();
      await expectAccessible(page, "operations");
    });
  });
}

test("food is ordered with only a keyboard", async ({ page, isMobile }) => {
  test.skip(isMobile, "phones have no keyboard");
  await page.goto("/");
  await expect(page.getByRole("button", { name: "Add Pizza Margherita" })).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.keyboard.press("Enter");
  const tabTo = async (name: RegExp) => {
    for (let tabs = 0; tabs < 60; tabs++) {
      await page.keyboard.press("Tab");
      const focused = page.locator(":focus");
      // After the last element of the page, the focus is in the browser's own bars once.
      if ((await focused.count()) === 0) continue;
      const text = await focused.evaluate(
        (element) => element.getAttribute("aria-label") ?? element.textContent ?? "",
      );
      const label = await focused.evaluate((element) => element.closest("label")?.textContent ?? "");
      if (name.test(text) || name.test(label)) return;
    }
    throw new Error(`no ${name} within 60 tabs`);
  };
  await tabTo(/^Add Pizza Margherita/);
  await page.keyboard.press("Enter");
  await tabTo(/^Go to checkout/);
  await page.keyboard.press("Enter");
  await expect(headline(page)).toBeFocused();
  await tabTo(/^City Hall/);
  await page.keyboard.press("Space");
  await tabTo(/^Now/);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await tabTo(/^Place order/);
  await page.keyboard.press("Enter");
  await placedOrder(page);
  await tabTo(/^Cancel order/);
  await page.keyboard.press("Enter");
  await tabTo(/^Yes, cancel/);
  await page.keyboard.press("Enter");
  await expect(headline(page)).toHaveText("Your order was cancelled");
});

test("every change of the order is announced to screen readers", async ({ page }) => {
  await order(page, "Elote", { when: "In 15 seconds" });
  const said = page.getByRole("main").getByRole("status").first();
  await expect(said).toContainText("Paid and scheduled");
  await page.getByRole("button", { name: "Cancel order" }).click();
  await page.getByRole("button", { name: "Yes, cancel" }).click();
  await expect(said).toContainText("Your order was cancelled");
  await expect(said).toContainText("goes back to your card");
});
