import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, fillCheckout, headline, placedOrder, test } from "./support";
import { endpoint, LAUNCHER } from "./system";

// These tests request an order without its key, which is refused.
test.use({ allowedErrors: /status of 404/ });

/** Another gateway of the same system, for which nobody is an operator, as for visitors on other machines. */
let gateway: ChildProcess;
let address: string;

test.beforeAll(async () => {
  const key = (name: string) => join(process.env.DATA_DIR ?? "", "keys", name);
  const port = await freePort();
  address = `http://127.0.0.1:${port}`;
  gateway = spawn(
    LAUNCHER,
    [
      "serve",
      "gateway",
      `--gateway-listen=127.0.0.1:${port}`,
      "--trust-loopback=false",
      `--order-links-secret-file=${key("order-links.secret")}`,
      `--callback-secret-file=${key("callback.secret")}`,
      `--kafka-brokers=${endpoint("kafka")}`,
      `--restate-ingress=${endpoint("restate-ingress")}`,
      `--web-ui=${fileURLToPath(new URL("../dist", import.meta.url))}`,
    ],
    { stdio: "ignore", env: { ...process.env, FOOD_ORDERING_PARENT: String(process.pid) } },
  );
  await expect
    .poll(async () => (await fetch(`${address}/health`).catch(() => null))?.ok, { timeout: 30_000 })
    .toBe(true);
});

test.afterAll(() => void gateway.kill("SIGKILL"));

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof bound === "object" && bound !== null ? bound.port : 0;
}

test("an order's link opens it on another device; without its key it is unknown, and no key is sent in a URL", async ({
  browser,
}) => {
  const context = await browser.newContext({ baseURL: address });
  const page = await context.newPage();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(`${request.url()} ${request.headers().referer ?? ""}`));
  await page.goto("/");
  await page.getByRole("button", { name: "Add Elote" }).click();
  await fillCheckout(page, { when: "In 15 seconds" });
  await page.getByRole("button", { name: "Place order" }).click();
  const id = await placedOrder(page);
  await expect(headline(page)).toHaveText("Paid and scheduled");
  await expect(page.getByText("Live", { exact: true })).toBeVisible();
  const link = page.url();
  const key = new URLSearchParams(new URL(link).hash.slice(1)).get("key") ?? "";
  expect(key).toMatch(/^[\w-]{43}$/);
  await page.reload();
  await expect(headline(page)).toHaveText("Paid and scheduled");

  const elsewhere = await browser.newContext({ baseURL: address });
  const friend = await elsewhere.newPage();
  await friend.goto(`/orders/${id}`);
  await expect(headline(friend)).toHaveText("We do not know this order");
  await friend.goto("about:blank");
  await friend.goto(link);
  await expect(headline(friend)).toHaveText("Paid and scheduled");
  await expect(friend.getByText("1 × Elote")).toBeVisible();

  // This device knows its own orders without their links.
  await page.goto("/orders");
  await page.getByRole("main").getByRole("link", { name: "El Camino Taquería" }).click();
  await expect(headline(page)).toHaveText("Paid and scheduled");
  expect(page.url()).toBe(link);

  await friend.getByRole("button", { name: "Cancel order" }).click();
  await friend.getByRole("button", { name: "Yes, cancel" }).click();
  await expect(headline(friend)).toHaveText("Your order was cancelled");
  await expect(headline(page)).toHaveText("Your order was cancelled");
  expect(asked.filter((what) => what.includes(key))).toEqual([]);
  await elsewhere.close();
  await context.close();
});

test("operations ask for a token", async ({ browser }) => {
  const context = await browser.newContext({ baseURL: address });
  const page = await context.newPage();
  await page.goto("/operations");
  await expect(page.getByText(/only on the gateway's own machine/)).toBeVisible();
  await context.close();
});
