/** What the shop is called. */
export const BRAND = "Tiffin";
