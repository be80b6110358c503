import type { Page } from "@playwright/test";
import { expect, headline, order, screenshot, test as systemTest } from "./support";
import { endpoint } from "./system";
import { TcpProxy } from "./tcp-proxy";

/** A test that reaches the shop through a network of its own, which may fail without an error. */
const test = systemTest.extend<{ network: TcpProxy }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright wants to see which fixtures are used
  network: async ({}, use) => {
    const network = await TcpProxy.to(endpoint("gateway"));
    await use(network);
    network.close();
  },
  baseURL: async ({ network }, use) => use(network.url),
});

test.use({ allowedErrors: /ERR_|Failed to load resource/ });

/**
 * The watchdog notices within 7 s and asks within one more. The new stream may still be sent over a connection that is dead too, which
 * costs another 10 s each time; the rest of the time is for a busy machine.
 */
const NOTICED_WITHIN = 60_000;
const LOST = "We lost the connection to the kitchen.";

const reached = (page: Page, status: string) =>
  expect(page.locator(`[data-status="${status}"][data-state]`)).toHaveAttribute("data-state", /done|current/);

/** Waits until the gateway itself says that the order has been delivered. */
const deliveredMeanwhile = (orderId: string) =>
  expect
    .poll(
      async () => {
        const answer = await fetch(`${endpoint("gateway")}/api/orders/${orderId}`);
        return ((await answer.json()) as { status: string }).status;
      },
      { timeout: 90_000 },
    )
    .toBe("DELIVERED");

/** How many orders the gateway itself counts as delivered. */
async function countDelivered(): Promise<number> {
  const answer = await fetch(`${endpoint("gateway")}/api/operations/events`);
  let text = "";
  for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    const snapshot = text.match(/^data: ?(.*)\n/m)?.[1];
    if (snapshot === undefined) continue;
    const { orders } = JSON.parse(snapshot) as { orders: { byStatus: Record<string, number> } };
    return orders.byStatus.DELIVERED ?? 0;
  }
  throw new Error(`no snapshot in ${text}`);
}

/** Records from now on what the page claims to be current while it is not live. Returns a function that returns these claims. */
async function noteClaims(page: Page): Promise<() => Promise<string[]>> {
  await page.evaluate(() => {
    const claims: string[] = [];
    Object.assign(globalThis, { claims });
    const look = () => {
      const text = document.body.textContent;
      const claim = text.match(/Delayed\..*|Arriving in.*|Any moment now/)?.[0];
      if (claim !== undefined && text.includes("This is what we knew")) claims.push(claim);
    };
    new MutationObserver(look).observe(document.body, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  });
  return () => page.evaluate(() => (globalThis as unknown as { claims: string[] }).claims);
}

test("connections that fall silent without being closed are replaced, and nothing is missed", async ({
  page,
  context,
  network,
}) => {
  const operations = await context.newPage();
  await operations.goto("/operations");
  await expect(operations.getByText("Live", { exact: true })).toBeVisible();
  const shown = operations.locator('dl [data-status="DELIVERED"] dd');

  const orderId = await order(page, "Pizza Margherita", { where: /^Heritage Plaza/ });
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await reached(page, "IN_PREPARATION");
  const claims = await noteClaims(page);
  network.silence("forward");
  const streamAgain = (of: Page) =>
    of.waitForResponse((answer) => answer.url().endsWith("/events"), { timeout: NOTICED_WITHIN });
  await Promise.all([page, operations].map(streamAgain));

  await deliveredMeanwhile(orderId);
  await expect(headline(page)).toHaveText("Delivered. Enjoy!");
  const delivered = await countDelivered();
  await expect.poll(async () => Number(await shown.textContent())).toBeGreaterThanOrEqual(delivered);
  await expect(operations.getByText("Live", { exact: true })).toBeVisible();
  // Otherwise the test proves nothing: the browser must have tried connections that it did not know to be dead.
  expect(network.swallowed).toBeGreaterThan(0);
  expect(await claims()).toEqual([]);
});

test("while nothing passes, the page says what it knew and when, and no login page is taken for an answer", async ({
  page,
  network,
}) => {
  const orderId = await order(page, "Lasagne", { where: /^Heritage Plaza/ });
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  await reached(page, "IN_PREPARATION");
  const claims = await noteClaims(page);
  network.silence("swallow");

  await expect(page.getByText(/^This is what we knew at \d/)).toBeVisible({ timeout: NOTICED_WITHIN });
  await expect(page.getByText("Reconnecting")).toBeVisible();
  await expect(page.getByText(LOST)).toBeVisible({ timeout: NOTICED_WITHIN });
  await screenshot(page, "order-out-of-touch");
  await deliveredMeanwhile(orderId);

  network.silence("login page");
  await expect.poll(() => network.loginPages, { timeout: 60_000 }).toBeGreaterThan(3);
  await expect(page.getByText(LOST)).toBeVisible();
  await expect(page.getByText("Reconnecting")).toBeVisible();
  expect(await claims()).toEqual([]);

  network.silence("forward");
  await expect(headline(page)).toHaveText("Delivered. Enjoy!", { timeout: NOTICED_WITHIN });
  await expect(page.getByText(LOST)).toHaveCount(0);
});
