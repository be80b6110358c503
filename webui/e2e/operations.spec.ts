import { expect, order, screenshot, setFaults, test } from "./support";

test.beforeEach(async ({ page }) => {
  await page.goto("/operations");
  const token = process.env.OPERATOR_TOKEN;
  if (!token) return;
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Open the hatch" }).click();
});

test("operators see orders by stage, drivers, throughput and stage times, live", async ({ page }) => {
  for (const title of [
    "Orders by stage",
    "Drivers and deliveries",
    "Throughput",
    "Time in each stage",
    "Stuck orders",
  ]) {
    await expect(page.getByRole("region", { name: title })).toBeVisible();
  }
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await expect(page.getByRole("application", { name: /^Map of \d+ drivers/ })).toBeVisible();
  await page.getByRole("radio", { name: /^San Jose/ }).check();
  await screenshot(page, "operations");
});

test("an order that is placed appears in its stage within seconds", async ({ page, context }) => {
  const count = async () => {
    const counts = await page.getByRole("region", { name: "Orders by stage" }).locator("dd").allInnerTexts();
    return counts.reduce((sum, text) => sum + Number(text.replaceAll(",", "")), 0);
  };
  await expect(page.getByRole("region", { name: "Orders by stage" })).toBeVisible();
  const before = await count();
  const shop = await context.newPage();
  await order(shop, "Horchata", { when: "In 15 seconds" });
  await expect.poll(count).toBeGreaterThan(before);
});

test("a stub is knocked out and healed with the switches", async ({ page, request }) => {
  const panel = page.getByRole("region", { name: "Break the payment provider" });
  try {
    await panel.getByRole("button", { name: "Knock it out" }).click();
    await expect(panel).toContainText("Failing on purpose");
    await expect(panel.getByRole("slider", { name: "Answers with an error", exact: true })).toHaveValue("1");
    await panel.getByRole("button", { name: "Heal it" }).click();
    await expect(panel).toContainText("Healthy");
    const slider = panel.getByRole("slider", { name: "Declines cards" });
    await slider.press("ArrowRight");
    await expect(panel).toContainText("5 %");
    await page.reload();
    await expect(slider).toHaveValue("0.05");
  } finally {
    await setFaults(request, "payment", { errorRate: 0, declineRate: 0 });
  }
});

test("load is put on and taken off with the slider", async ({ page }) => {
  const slider = page.getByRole("slider", { name: "Orders made up" });
  await slider.press("ArrowRight");
  await expect(page.getByRole("region", { name: "Put load on" })).toContainText("1 a second");
  await slider.press("Home");
  await expect(page.getByRole("region", { name: "Put load on" })).toContainText("none");
});

test("a refused event is corrected and published again", async ({ page }) => {
  const panel = page.getByRole("region", { name: "Refused events" });
  await expect(panel).toBeVisible();
  const correct = panel.getByRole("button", { name: /^Correct and publish/ });
  test.skip((await correct.count()) === 0, "no event was refused");
  await correct.first().click();
  const event = panel.getByLabel("The event, corrected");
  await event.fill("{ not JSON");
  await expect(panel.getByRole("button", { name: "Publish again" })).toBeDisabled();
  const id = crypto.randomUUID();
  await event.fill(
    JSON.stringify({
      orderId: id,
      restaurantId: "el-camino",
      products: [{ productId: "elote", description: "Elote", quantity: 1 }],
      totalCost: 5.95,
      deliveryDelay: 0,
    }),
  );
  const answer = page.waitForResponse((it) => it.url().endsWith("/dead-letters/replay"));
  await panel.getByRole("button", { name: "Publish again" }).click();
  expect((await answer).status()).toBe(202);
});
