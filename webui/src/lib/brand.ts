/** The name of the shop. */
export const BRAND = "Tiffin";
