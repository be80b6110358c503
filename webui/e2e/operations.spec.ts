import { expect, order, screenshot, setFaults, test } from "./support";
import { publishInvalidOrder } from "./system";

// The gateway refuses an event that is still invalid.
test.use({ allowedErrors: /status of 422/ });

test.beforeEach(async ({ page }) => {
  await page.goto("/operations");
  const token = process.env.OPERATOR_TOKEN;
  if (!token) return;
  await page.getByLabel("Token").fill(token);
  await page.getByRole("button", { name: "Open operations" }).click();
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

test("the controls knock out a stub and heal it", async ({ page, request }) => {
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

test("the slider starts and stops the load", async ({ page }) => {
  const slider = page.getByRole("slider", { name: "Demo orders" });
  await slider.press("ArrowRight");
  await expect(page.getByRole("region", { name: "Generate load" })).toContainText("1 a second");
  await slider.press("Home");
  await expect(page.getByRole("region", { name: "Generate load" })).toContainText("none");
});

test("a refused event is corrected and published again, and the order goes ahead after all", async ({
  page,
}) => {
  await publishInvalidOrder();
  const panel = page.getByRole("region", { name: "Refused events" });
  const letter = panel.getByRole("listitem").first();
  await expect(letter).toContainText("totalCost");
  await letter.getByRole("button", { name: /^Correct and publish/ }).click();
  const event = panel.getByLabel("Corrected event");
  const order = JSON.parse(await event.inputValue()) as { orderId: string; totalCost: number };
  await event.fill("{ not JSON");
  await expect(panel.getByRole("button", { name: "Publish again" })).toBeDisabled();
  await event.fill(JSON.stringify(order));
  await panel.getByRole("button", { name: "Publish again" }).click();
  await expect(panel.getByText("It could not be published")).toBeVisible();
  await event.fill(JSON.stringify({ ...order, totalCost: 12.5 }));
  await screenshot(page, "operations-correction");
  await panel.getByRole("button", { name: "Publish again" }).click();
  await expect(panel.getByText("Published again")).toBeVisible();
  await page.goto(`/orders/${order.orderId}`);
  await expect(page.locator('[data-status="IN_PREPARATION"]')).toHaveAttribute("data-state", /done|current/);
});
