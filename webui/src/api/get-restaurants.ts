import { queryOptions, useQuery } from "@tanstack/react-query";
import * as v from "valibot";
import { request } from "@/lib/http/request";
import { lonLatSchema, moneySchema } from "./schemas";

const dishSchema = v.object({
  productId: v.string(),
  name: v.string(),
  description: v.string(),
  price: moneySchema,
  vegetarian: v.boolean(),
});

const restaurantSchema = v.object({
  restaurantId: v.string(),
  name: v.string(),
  cuisine: v.string(),
  description: v.string(),
  location: lonLatSchema,
  region: v.optional(v.string()),
  menu: v.array(dishSchema),
});

const answerSchema = v.pipe(
  v.union([v.array(restaurantSchema), v.object({ restaurants: v.array(restaurantSchema) })]),
  v.transform((answer) => (Array.isArray(answer) ? answer : answer.restaurants)),
);

/** A dish on a menu; its price in cents. */
export type Dish = v.InferOutput<typeof dishSchema>;

/** A restaurant of the shop, with its menu. */
export type Restaurant = v.InferOutput<typeof restaurantSchema>;

const getRestaurants = (signal: AbortSignal) => request("/api/restaurants", { schema: answerSchema, signal });

const restaurantsQuery = queryOptions({
  queryKey: ["restaurants"],
  queryFn: ({ signal }) => getRestaurants(signal),
  staleTime: 5 * 60_000,
});

/** The shop's restaurants. */
export const useRestaurants = () => useQuery(restaurantsQuery);
