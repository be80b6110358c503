import { gzipSync } from "node:zlib";
import { add, expect, test } from "./support";

const MAX_SCRIPT_KB = 200;

test("the first load is small, quick and steady", async ({ page }) => {
  const scripts: Promise<number>[] = [];
  page.on("response", (response) => {
    if (response.request().resourceType() !== "script") return;
    scripts.push(response.body().then((body) => gzipSync(body, { level: 9 }).length / 1000));
  });
  await page.goto("/");
  await expect(page.getByRole("button", { name: "Add Pizza Margherita" })).toBeVisible();
  await page.waitForLoadState("networkidle");
  const sizes = await Promise.all(scripts);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MAX_SCRIPT_KB);

  const { paint, shift } = await page.evaluate(async () => {
    const last = <T extends PerformanceEntry>(type: string) =>
      new Promise<T[]>((resolve) => {
        new PerformanceObserver((list) => resolve(list.getEntries() as T[])).observe({
          type,
          buffered: true,
        });
        setTimeout(() => resolve([]), 1000);
      });
    const paints = await last("largest-contentful-paint");
    const shifts = await last<PerformanceEntry & { value: number; hadRecentInput: boolean }>("layout-shift");
    return {
      paint: paints.at(-1)?.startTime ?? Number.NaN,
      shift: shifts.reduce((sum, it) => sum + (it.hadRecentInput ? 0 : it.value), 0),
    };
  });
  // What Lighthouse calls good.
  expect(paint).toBeLessThan(2_500);
  expect(shift).toBeLessThan(0.1);
});

test("the pages are served with headers that block foreign content", async ({ page, request }) => {
  for (const path of ["/", "/checkout", "/orders/some-order"]) {
    const headers = (await request.get(path, { headers: { accept: "text/html" } })).headers();
    const policy = headers["content-security-policy"] ?? "";
    expect(policy).toContain("default-src");
    expect(policy).not.toContain("unsafe-inline");
    expect(policy).not.toContain("unsafe-eval");
    expect(headers["x-content-type-options"]).toBe("nosniff");
  }
  // The pages comply with the policy: the map is the part most likely to break it.
  await add(page, "Elote");
  await page.goto("/checkout");
  await expect(page.getByRole("application")).toBeVisible();
});
