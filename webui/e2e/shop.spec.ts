import { add, expect, test } from "./support";

test("the cart survives a reload, with its quantities and its sum", async ({ page }) => {
  await add(page, "Phở Bò");
  const cart = page.getByRole("region", { name: "Your order" });
  await cart.getByRole("button", { name: "One more Phở Bò" }).click();
  await page.getByRole("button", { name: "Add Cà Phê Sữa Đá" }).click();
  await page.reload();
  await expect(cart.getByText("$35.15")).toBeVisible();
  await cart.getByRole("button", { name: "One fewer Phở Bò" }).click();
  await cart.getByRole("button", { name: "Remove Phở Bò" }).click();
  await expect(cart.getByText("$5.25").last()).toBeVisible();
  await cart.getByRole("button", { name: "Remove Cà Phê Sữa Đá" }).click();
  await expect(cart.getByText("Nothing packed yet.")).toBeVisible();
});

test("an invalid stored cart counts as empty", async ({ page }) => {
  await page.addInitScript(() => localStorage.setItem("tiffin.cart", '{"version":1,"value":{"lines":"?"}}'));
  await page.goto("/");
  await expect(page.getByText("Nothing packed yet.")).toBeVisible();
});

test("adding a dish of another restaurant asks before it replaces the cart", async ({ page }) => {
  await add(page, "Pizza Diavola");
  await page.getByRole("button", { name: "Add Burrito Mission" }).click();
  const dialog = page.getByRole("dialog", { name: "Switch to El Camino Taquería?" });
  await expect(dialog).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Add Burrito Mission" })).toBeFocused();
  await expect(page.getByRole("link", { name: /^Cart, 1 dish$/ })).toBeVisible();

  await page.getByRole("button", { name: "Add Burrito Mission" }).click();
  await dialog.getByRole("button", { name: "Empty and switch" }).click();
  await expect(page.getByRole("region", { name: "Your order" })).toContainText("from El Camino Taquería");
  await expect(page.getByRole("button", { name: "Add Pizza Diavola" })).toBeVisible();
});

test("the filters find dishes, and are part of the address", async ({ page }) => {
  await page.goto("/");
  const dishes = page.getByRole("article");
  await expect(dishes).toHaveCount(18);
  await page.getByRole("searchbox").fill("pho");
  await expect(dishes).toHaveCount(2);
  await page.getByRole("checkbox", { name: "Vegetarian" }).check();
  await expect(dishes).toHaveCount(1);
  await page.reload();
  await expect(dishes).toHaveCount(1);
  await page.getByRole("searchbox").fill("sushi");
  await page.getByRole("button", { name: "Show everything" }).click();
  await expect(dishes).toHaveCount(18);
  await page.getByRole("radio", { name: "Mexican" }).check();
  await expect(dishes).toHaveCount(6);
});

test("two tabs share one cart and watch one order", async ({ context, page }) => {
  const other = await context.newPage();
  await other.goto("/");
  await add(page, "Cacio e Pepe");
  await expect(other.getByRole("region", { name: "Your order" })).toContainText("Cacio e Pepe");

  await page.goto("/checkout");
  await page.getByRole("radio", { name: /^City Hall/ }).check();
  await page.getByRole("radio", { name: /^In 15 seconds/ }).check();
  await page.getByRole("button", { name: "Place order" }).click();
  await page.waitForURL(/\/orders\//);
  await expect(other.getByRole("region", { name: "Your order" })).toContainText("Nothing packed yet.");

  await other.goto(page.url());
  const headlines = [page, other].map((tab) => tab.getByRole("heading", { level: 1 }));
  await Promise.all(headlines.map((it) => expect(it).toHaveText("Paid and scheduled")));
  await other.getByRole("button", { name: "Cancel order" }).click();
  await other.getByRole("button", { name: "Yes, cancel" }).click();
  await Promise.all(headlines.map((it) => expect(it).toHaveText("Your order was cancelled")));
});

test("the colours follow the device until the visitor chooses, and the choice stays", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto("/");
  const root = page.locator("html");
  await expect(root).toHaveAttribute("data-scheme", "dark");
  await page.getByRole("button", { name: /^Colours follow the device/ }).click();
  await expect(root).toHaveAttribute("data-scheme", "light");
  await page.reload();
  await expect(root).toHaveAttribute("data-scheme", "light");
});
