import type { Restaurant } from "@/api/get-restaurants";

/** What the visitor is looking for. */
export interface MenuFilter {
  text: string;
  /** `null` for all. */
  cuisine: string | null;
  vegetarian: boolean;
}

export const NO_FILTER: MenuFilter = { text: "", cuisine: null, vegetarian: false };

/** The restaurants with matching dishes, and only those dishes. */
export function filterMenus(restaurants: readonly Restaurant[], filter: MenuFilter): Restaurant[] {
  const words = plain(filter.text).split(/\s+/).filter(Boolean);
  return restaurants
    .filter((restaurant) => filter.cuisine === null || restaurant.cuisine === filter.cuisine)
    .map((restaurant) => {
      const about = `${restaurant.name} ${restaurant.cuisine}`;
      const menu = restaurant.menu.filter((dish) => {
        if (filter.vegetarian && !dish.vegetarian) return false;
        const text = plain(`${dish.name} ${dish.description} ${about}`);
        return words.every((word) => text.includes(word));
      });
      return { ...restaurant, menu };
    })
    .filter((restaurant) => restaurant.menu.length > 0);
}

/** Each cuisine once, in the order of the restaurants. */
export const cuisinesOf = (restaurants: readonly Restaurant[]): string[] => [
  ...new Set(restaurants.map((restaurant) => restaurant.cuisine)),
];

/** Lower case without diacritics: `pho` finds `Phở`. */
function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").replace(/đ/gi, "d").toLowerCase();
}
