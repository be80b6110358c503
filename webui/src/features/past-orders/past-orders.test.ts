import { describe, expect, it } from "vitest";
import { cents } from "@/lib/money";
import { forget, noteStatus, type PastOrder, parsePastOrders, remember } from "./past-orders-store";

const order = (orderId: string, more: Partial<PastOrder> = {}): PastOrder => ({
  orderId,
  key: null,
  placedAt: 1,
  restaurantId: "r",
  restaurantName: "R",
  products: [{ productId: "p", description: "P", quantity: 1 }],
  total: cents(1250),
  status: "NEW",
  isConfirmed: true,
  ...more,
});

describe("the orders of this device", () => {
  it("are kept newest first, each once", () => {
    const orders = remember(remember([order("a")], order("b", { isConfirmed: false })), order("b"));
    expect(orders.map((it) => it.orderId)).toEqual(["b", "a"]);
    expect(orders[0]?.isConfirmed).toBe(true);
  });

  it("do not grow for ever", () => {
    const many = Array.from({ length: 200 }, (_, n) => order(`o-${n}`));
    expect(many.reduce<PastOrder[]>(remember, [])).toHaveLength(50);
  });

  it("keep the last known status, and stay ended", () => {
    const delivered = noteStatus([order("a", { isConfirmed: false })], "a", "DELIVERED");
    expect(delivered[0]).toMatchObject({ status: "DELIVERED", isConfirmed: true });
    expect(noteStatus(delivered, "a", "IN_DELIVERY")).toBe(delivered);
    expect(noteStatus(delivered, "unknown", "CREATED")).toBe(delivered);
  });

  it("lose one that was refused after all", () => {
    expect(forget([order("a"), order("b")], "a").map((it) => it.orderId)).toEqual(["b"]);
  });

  it("are read as they were written, without invalid ones", () => {
    const stored = JSON.parse(
      JSON.stringify([order("a"), { orderId: 7 }, null, order("b", { total: cents(5) })]),
    );
    expect(parsePastOrders(stored)?.map((it) => it.orderId)).toEqual(["a", "b"]);
    expect(parsePastOrders({})).toBeNull();
  });

  it("keep their keys, and so do those from before there were keys", () => {
    const { key: _none, ...old } = order("old");
    const stored = JSON.parse(JSON.stringify([order("a", { key: "k" }), old]));
    expect(parsePastOrders(stored)?.map((it) => it.key)).toEqual(["k", null]);
  });
});
