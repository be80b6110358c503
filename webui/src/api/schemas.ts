import * as v from "valibot";
import { centsFromDollars } from "@/lib/money";
import { toOrderStatus } from "@/types/order";

/** A place. */
export const lonLatSchema = v.object({
  lon: v.pipe(v.number(), v.minValue(-180), v.maxValue(180)),
  lat: v.pipe(v.number(), v.minValue(-90), v.maxValue(90)),
});

/** Dollars in JSON, cents in the code. */
export const moneySchema = v.pipe(
  v.number(),
  v.check((dollars) => {
    try {
      centsFromDollars(dollars);
      return true;
    } catch {
      return false;
    }
  }, "must be an amount of money"),
  v.transform(centsFromDollars),
);

export const orderStatusSchema = v.pipe(v.string(), v.transform(toOrderStatus));

/** Ms since the epoch. */
export const timeSchema = v.pipe(v.number(), v.finite());
