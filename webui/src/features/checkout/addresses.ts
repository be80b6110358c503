import type { LonLat } from "@/types/geo";

/** A place that can be chosen by name. */
export interface Address {
  id: string;
  name: string;
  street: string;
  place: LonLat;
}

/** Well-known addresses in San José. */
export const ADDRESSES: readonly Address[] = [
  {
    id: "city-hall",
    name: "City Hall",
    street: "200 E Santa Clara St",
    place: { lon: -121.8853, lat: 37.3378 },
  },
  {
    id: "university",
    name: "University Library",
    street: "150 E San Fernando St",
    place: { lon: -121.8849, lat: 37.3355 },
  },
  {
    id: "japantown",
    name: "Japantown Plaza",
    street: "565 N 6th St",
    place: { lon: -121.8949, lat: 37.3488 },
  },
  { id: "diridon", name: "Diridon Station", street: "65 Cahill St", place: { lon: -121.9026, lat: 37.3299 } },
  {
    id: "rose-garden",
    name: "Rose Garden",
    street: "1649 Naglee Ave",
    place: { lon: -121.9285, lat: 37.3319 },
  },
  {
    id: "willow-glen",
    name: "Willow Glen Library",
    street: "1157 Minnesota Ave",
    place: { lon: -121.8996, lat: 37.3063 },
  },
  {
    id: "kelley-park",
    name: "Kelley Park",
    street: "1300 Senter Rd",
    place: { lon: -121.8607, lat: 37.3232 },
  },
  {
    id: "heritage-plaza",
    name: "Heritage Plaza",
    street: "1700 Alum Rock Ave",
    place: { lon: -121.8536, lat: 37.353 },
  },
];

export const addressOf = (id: string): Address | undefined => ADDRESSES.find((address) => address.id === id);
