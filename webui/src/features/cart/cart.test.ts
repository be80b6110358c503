import { describe, expect, it } from "vitest";
import type { Dish, Restaurant } from "@/api/get-restaurants";
import { cents } from "@/lib/money";
import {
  add,
  type Cart,
  countOf,
  EMPTY_CART,
  isOfAnother,
  MAX_QUANTITY,
  quantityOf,
  reconcile,
  setQuantity,
  subtotalOf,
} from "./cart";
import { parseCart } from "./cart-store";

const dish = (productId: string, price: number): Dish => ({
  productId,
  name: productId.toUpperCase(),
  description: "",
  price: cents(price),
  vegetarian: true,
});
const pizza = dish("pizza", 1250);
const tiramisu = dish("tiramisu", 725);
const taco = dish("taco", 1095);
const restaurant = (restaurantId: string, ...menu: Dish[]): Restaurant => ({
  restaurantId,
  name: restaurantId,
  cuisine: "",
  description: "",
  location: { lon: 0, lat: 0 },
  menu,
});
const piazza = restaurant("piazza", pizza, tiramisu);
const camino = restaurant("camino", taco);

const cartOf = (...dishes: Dish[]): Cart => dishes.reduce((cart, it) => add(cart, piazza, it), EMPTY_CART);

describe("the cart", () => {
  it("counts the same dish in one line", () => {
    const cart = cartOf(pizza, tiramisu, pizza);
    expect(cart.lines.map((line) => line.quantity)).toEqual([2, 1]);
    expect(countOf(cart)).toBe(3);
  });

  it("adds up to the cent", () => {
    expect(subtotalOf(cartOf(pizza, tiramisu, pizza))).toBe(3225);
    expect(subtotalOf(EMPTY_CART)).toBe(0);
  });

  it("holds dishes of one restaurant only", () => {
    const cart = cartOf(pizza);
    expect(isOfAnother(cart, "camino")).toBe(true);
    expect(isOfAnother(cart, "piazza")).toBe(false);
    expect(isOfAnother(EMPTY_CART, "camino")).toBe(false);
    const switched = add(cart, camino, taco);
    expect(switched.restaurant?.restaurantId).toBe("camino");
    expect(quantityOf(switched, "pizza")).toBe(0);
  });

  it("loses a dish whose quantity becomes zero, and its restaurant with the last dish", () => {
    const cart = setQuantity(cartOf(pizza, tiramisu), "pizza", 0);
    expect(cart.lines.map((line) => line.productId)).toEqual(["tiramisu"]);
    expect(setQuantity(cart, "tiramisu", -3)).toEqual(EMPTY_CART);
  });

  it("never holds more of a dish than the shop sells at once", () => {
    expect(quantityOf(setQuantity(cartOf(pizza), "pizza", 10_000), "pizza")).toBe(MAX_QUANTITY);
  });
});

describe("a cart that was left alone for a while", () => {
  it("stays the same if the menu does", () => {
    const cart = cartOf(pizza);
    expect(reconcile(cart, [piazza, camino])).toEqual({ cart, changes: [] });
    expect(reconcile(cart, [piazza]).cart).toBe(cart);
  });

  it("takes over new prices and says so", () => {
    const { cart, changes } = reconcile(cartOf(pizza), [restaurant("piazza", dish("pizza", 1300))]);
    expect(subtotalOf(cart)).toBe(1300);
    expect(changes).toEqual(["PIZZA has a new price."]);
  });

  it("drops what is no longer sold and says so", () => {
    const { cart, changes } = reconcile(cartOf(pizza, tiramisu), [restaurant("piazza", tiramisu)]);
    expect(cart.lines.map((line) => line.productId)).toEqual(["tiramisu"]);
    expect(changes).toHaveLength(1);
    expect(reconcile(cart, [camino])).toMatchObject({ cart: EMPTY_CART });
  });
});

describe("a stored cart", () => {
  it("is read as it was written", () => {
    const cart = cartOf(pizza, tiramisu, pizza);
    expect(parseCart(JSON.parse(JSON.stringify(cart)))).toEqual(cart);
  });

  it("is dropped if it is invalid", () => {
    const good = JSON.parse(JSON.stringify(cartOf(pizza)));
    const wrong = [
      null,
      7,
      [],
      {},
      { ...good, restaurant: null },
      { ...good, lines: [] },
      { ...good, lines: [{ ...good.lines[0], quantity: 0 }] },
      { ...good, lines: [{ ...good.lines[0], quantity: 1.5 }] },
      { ...good, lines: [{ ...good.lines[0], price: -1 }] },
      { ...good, lines: [{ ...good.lines[0], price: 12.5 }] },
    ];
    for (const stored of wrong) expect(parseCart(stored)).toBeNull();
  });
});
