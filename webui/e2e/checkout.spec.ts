import {
  add,
  expect,
  fillCheckout,
  headline,
  order,
  orderIdIn,
  placedOrder,
  placesOrder,
  screenshot,
  test,
} from "./support";

test.use({ allowedErrors: /status of (422|503)|ERR_CONNECTION_REFUSED|ERR_FAILED/ });

test("a double click places one order", async ({ page }) => {
  const sent: string[] = [];
  page.on("request", (request) => {
    if (placesOrder(request)) sent.push(orderIdIn(request));
  });
  await add(page, "Limonata");
  await fillCheckout(page, { when: "In 15 seconds" });
  await page.getByRole("button", { name: "Place order" }).dblclick();
  await placedOrder(page);
  expect(new Set(sent).size).toBe(1);
  await page.goto("/orders");
  await expect(page.getByRole("main").getByRole("listitem")).toHaveCount(1);
});

test("an order that is not confirmed is sent again, as the same order", async ({ page }) => {
  const sent: string[] = [];
  await add(page, "Limonata");
  await fillCheckout(page, { when: "In 15 seconds" });
  await page.route("**/api/orders", async (route) => {
    sent.push(orderIdIn(route.request()));
    if (sent.length === 1) return route.abort("connectionrefused");
    if (sent.length === 2) {
      return route.fulfill({
        status: 503,
        headers: { "retry-after": "1" },
        contentType: "application/problem+json",
        json: { title: "The order could not be confirmed", detail: "it may or may not have been taken" },
      });
    }
    return route.continue();
  });
  await page.getByRole("button", { name: "Place order" }).click();
  await expect(page.getByText("Not confirmed yet")).toBeVisible();
  await screenshot(page, "checkout-unconfirmed");
  const id = await placedOrder(page);
  expect(sent.length).toBe(3);
  expect(new Set(sent)).toEqual(new Set([id]));
});

test("an order left while it was being sent is the same order when it is placed again", async ({ page }) => {
  const sent: string[] = [];
  await add(page, "Limonata");
  await fillCheckout(page, { when: "In 15 seconds" });
  await page.route("**/api/orders", (route) => {
    sent.push(orderIdIn(route.request()));
    return route.abort("connectionrefused");
  });
  await page.getByRole("button", { name: "Place order" }).click();
  await expect(page.getByText("Not confirmed yet")).toBeVisible();
  await page.reload();
  await expect(page.getByText("This order was being sent")).toBeVisible();
  await page.unroute("**/api/orders");
  await page.getByRole("button", { name: "Place order" }).click();
  expect(new Set([...sent, await placedOrder(page)]).size).toBe(1);
});

test("a refused order says which fields are wrong and loses nothing", async ({ page }) => {
  await add(page, "Tacos al Pastor");
  await fillCheckout(page);
  await page.route("**/api/orders", (route) =>
    route.continue({ postData: { ...(route.request().postDataJSON() as object), totalCost: 1.5 } }),
  );
  await page.getByRole("button", { name: "Place order" }).click();
  await expect(page.getByText(/^The total .*11\.50/)).toBeVisible();
  await expect(page.getByText("Nothing was ordered or charged.")).toBeVisible();
  await screenshot(page, "checkout-refused");
  await page.unroute("**/api/orders");
  await page.getByRole("radio", { name: /^In 15 seconds/ }).check();
  await page.getByRole("button", { name: "Place order" }).click();
  await placedOrder(page);
});

test("a missing field is named and gets the focus", async ({ page }) => {
  await add(page, "Elote");
  await page.goto("/checkout");
  await page.getByRole("button", { name: "Place order" }).click();
  await expect(page.getByText("Choose where we should bring it.", { exact: true })).toBeVisible();
  await expect(page.getByRole("radio", { name: /^City Hall/ })).toBeFocused();
});

test("a place is picked on the map, by hand or by keyboard", async ({ page }) => {
  await add(page, "Elote");
  await page.goto("/checkout");
  const map = page.getByRole("application", { name: /^Map to choose/ });
  await map.click({ position: { x: 120, y: 120 } });
  const picked = page.getByRole("radio", { name: /^A place on the map/ });
  await expect(picked).toBeChecked();
  await expect(page.locator('[data-pin="pick"]')).toBeVisible();
  const name = () => page.locator("label", { has: picked }).textContent();
  const byHand = await name();
  await map.focus();
  await page.keyboard.press("ArrowRight");
  await page.getByRole("button", { name: "Pin the middle" }).press("Enter");
  await expect.poll(name).not.toBe(byHand);
  await page.getByRole("radio", { name: /^In 15 seconds/ }).check();
  await page.getByRole("button", { name: "Place order" }).click();
  await placedOrder(page);
});

test("an order can be scheduled for a set time, and the filled-in form survives a reload", async ({
  page,
}) => {
  await add(page, "Elote");
  await fillCheckout(page, { where: /^Rose Garden/ });
  await page.getByRole("radio", { name: /^At a set time/ }).check();
  const time = await page.getByLabel("The kitchen begins at").inputValue();
  await page.reload();
  await expect(page.getByLabel("The kitchen begins at")).toHaveValue(time);
  await expect(page.getByRole("radio", { name: /^Rose Garden/ })).toBeChecked();
  const request = page.waitForRequest(placesOrder);
  await page.getByRole("button", { name: "Place order" }).click();
  const { deliveryDelay } = (await request).postDataJSON() as { deliveryDelay: number };
  expect(deliveryDelay).toBeGreaterThan(28 * 60_000);
  expect(deliveryDelay).toBeLessThanOrEqual(30 * 60_000);
  await placedOrder(page);
  await page.getByRole("button", { name: "Cancel order" }).click();
  await page.getByRole("button", { name: "Yes, cancel" }).click();
  await expect(headline(page)).toHaveText("Your order was cancelled");
});

test("an order is ordered again from the orders of this device", async ({ page }) => {
  await order(page, "Gỏi Cuốn", { when: "In 15 seconds" });
  await page.goto("/orders");
  await page.getByRole("button", { name: /^Order again/ }).click();
  await expect(headline(page)).toHaveText("Checkout");
  await expect(page.getByText("1 dish from Lotus Garden")).toBeVisible();
});
