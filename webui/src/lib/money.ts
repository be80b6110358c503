/** An amount of money in whole US cents. Sums and products are exact; dollars are used only in JSON and on the screen. */
export type Cents = number & { readonly __unit: "cents" };

const MAX_CENTS = 100_000_000;

/** Asserts that `amount` is a number of cents; throws if it is not. */
export function cents(amount: number): Cents {
  if (!Number.isInteger(amount) || amount < 0 || amount > MAX_CENTS) {
    throw new RangeError(`not an amount of cents: ${amount}`);
  }
  return amount as Cents;
}

/** Reads dollars from JSON (12.5 for $12.50); throws on amounts finer than a cent. */
export function centsFromDollars(dollars: number): Cents {
  const rounded = Math.round(dollars * 100);
  // 4.35 * 100 is 434.99999999999994: rounding corrects that, but must not hide a fraction of a cent.
  if (Math.abs(dollars * 100 - rounded) > 1e-6) throw new RangeError(`finer than a cent: ${dollars}`);
  return cents(rounded);
}

/** Dollars for JSON. The shortest text of n / 100 that reads back as the same number has at most two decimals. */
export const toDollars = (amount: Cents): number => amount / 100;

/** The price of `quantity` pieces. */
export const times = (price: Cents, quantity: number): Cents => cents(price * quantity);

/** The sum. */
export const sum = (amounts: readonly Cents[]): Cents =>
  cents(amounts.reduce((total: number, amount) => total + amount, 0));

const FORMAT = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });

/** For people: `$12.50`. */
export const formatCents = (amount: Cents): string => FORMAT.format(amount / 100);
