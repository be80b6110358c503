import { describe, expect, it } from "vitest";
import { keyInHash, orderIdIn, orderPath } from "./order-link";

describe("the link to an order", () => {
  it("carries the key where no server sees it", () => {
    const url = new URL(orderPath("order-1", "a-B_9"), "http://shop.example");
    expect(url.pathname).toBe("/orders/order-1");
    expect(url.search).toBe("");
    expect(keyInHash(url.hash)).toBe("a-B_9");
  });

  it("has no key if the gateway issues none", () => {
    expect(orderPath("order-1", null)).toBe("/orders/order-1");
    for (const hash of ["", "#", "#key=", "#map", "#other=1"]) expect(keyInHash(hash)).toBeNull();
  });

  it("leads to the order whatever its id is", () => {
    for (const id of ["order-1", "a:b", "a.b_c~d", "100%"]) {
      const segment = orderPath(id, "key")
        .replace(/^\/orders\//, "")
        .replace(/#.*/, "");
      expect(orderIdIn(segment)).toBe(id);
    }
    expect(orderIdIn("a:b")).toBe("a:b");
    expect(orderIdIn("%E0%A4%A")).toBe("%E0%A4%A");
  });

  it("can be read even if something was appended to it", () => {
    expect(keyInHash("#key=abc&utm_source=mail")).toBe("abc");
  });
});
