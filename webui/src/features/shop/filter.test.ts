import { describe, expect, it } from "vitest";
import type { Restaurant } from "@/api/get-restaurants";
import { cents } from "@/lib/money";
import { cuisinesOf, filterMenus, NO_FILTER } from "./filter";

const restaurant = (name: string, cuisine: string, dishes: Array<[string, boolean]>): Restaurant => ({
  restaurantId: name,
  name,
  cuisine,
  description: "",
  location: { lon: 0, lat: 0 },
  menu: dishes.map(([dish, vegetarian]) => ({
    productId: dish,
    name: dish,
    description: "",
    price: cents(100),
    vegetarian,
  })),
});
const menus = [
  restaurant("Lotus", "Vietnamese", [
    ["Phở Bò", false],
    ["Cà Phê Sữa Đá", true],
  ]),
  restaurant("Piazza", "Italian", [["Tiramisù", true]]),
];
const found = (filter: Partial<typeof NO_FILTER>) =>
  filterMenus(menus, { ...NO_FILTER, ...filter }).flatMap((it) => it.menu.map((dish) => dish.name));

describe("the filters of the shop", () => {
  it("leave everything in while nothing is set", () => {
    expect(filterMenus(menus, NO_FILTER)).toEqual(menus);
  });

  it("find dishes without their diacritics", () => {
    expect(found({ text: "pho" })).toEqual(["Phở Bò"]);
    expect(found({ text: " TIRAMISU " })).toEqual(["Tiramisù"]);
    expect(found({ text: "sua da" })).toEqual(["Cà Phê Sữa Đá"]);
  });

  it("find dishes by their restaurant and cuisine", () => {
    expect(found({ text: "vietnamese pho" })).toEqual(["Phở Bò"]);
    expect(found({ cuisine: "Italian" })).toEqual(["Tiramisù"]);
  });

  it("leave out restaurants without a match", () => {
    expect(found({ vegetarian: true })).toEqual(["Cà Phê Sữa Đá", "Tiramisù"]);
    expect(filterMenus(menus, { ...NO_FILTER, text: "sushi" })).toEqual([]);
  });

  it("offer each cuisine once", () => {
    expect(cuisinesOf([...menus, ...menus])).toEqual(["Vietnamese", "Italian"]);
  });
});
