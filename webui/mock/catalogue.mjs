// The restaurants of crates/domain/src/restaurant.rs, for the development mock only.
const dish = (productId, name, description, price, vegetarian) => ({
  productId,
  name,
  description,
  price,
  vegetarian,
});

export const restaurants = [
  {
    restaurantId: "la-piazza",
    name: "La Piazza",
    cuisine: "Italian",
    description: "Wood-fired pizza and fresh pasta, a block from the old market hall.",
    location: { lon: -121.8946, lat: 37.3366 },
    region: "San Jose (CA)",
    menu: [
      dish("margherita", "Pizza Margherita", "Tomato, mozzarella, basil", 12.5, true),
      dish("diavola", "Pizza Diavola", "Tomato, mozzarella, spicy salami", 14.75, false),
      dish("cacio-e-pepe", "Cacio e Pepe", "Tonnarelli, pecorino, black pepper", 13.9, true),
      dish("lasagne", "Lasagne", "Beef ragù, béchamel, parmesan", 15.25, false),
      dish("tiramisu", "Tiramisù", "Mascarpone, espresso, cocoa", 7.25, true),
      dish("limonata", "Limonata", "Lemon, mint, sparkling water", 4.5, true),
    ],
  },
  {
    restaurantId: "lotus-garden",
    name: "Lotus Garden",
    cuisine: "Vietnamese",
    description: "Slow broths and crisp herbs from the gardens of Willow Glen.",
    location: { lon: -121.899, lat: 37.305 },
    region: "San Jose (CA)",
    menu: [
      dish("pho-bo", "Phở Bò", "Beef broth, rice noodles, herbs", 14.95, false),
      dish("pho-chay", "Phở Chay", "Mushroom broth, tofu, rice noodles", 13.95, true),
      dish("banh-mi", "Bánh Mì", "Baguette, pork, pickles, coriander", 9.95, false),
      dish("goi-cuon", "Gỏi Cuốn", "Rice paper rolls, tofu, peanut sauce", 8.25, true),
      dish("bun-cha", "Bún Chả", "Grilled pork, vermicelli, herbs", 15.5, false),
      dish("ca-phe", "Cà Phê Sữa Đá", "Iced coffee, condensed milk", 5.25, true),
    ],
  },
  {
    restaurantId: "el-camino",
    name: "El Camino Taquería",
    cuisine: "Mexican",
    description: "Tortillas pressed to order on the east side since 1998.",
    location: { lon: -121.851, lat: 37.353 },
    region: "San Jose (CA)",
    menu: [
      dish("tacos-al-pastor", "Tacos al Pastor", "Three tacos, pork, pineapple", 11.5, false),
      dish("tacos-de-hongos", "Tacos de Hongos", "Three tacos, oyster mushrooms", 10.95, true),
      dish("burrito", "Burrito Mission", "Carne asada, rice, beans, guacamole", 13.75, false),
      dish("quesadilla", "Quesadilla", "Oaxaca cheese, poblano", 9.75, true),
      dish("elote", "Elote", "Grilled corn, cotija, lime", 5.95, true),
      dish("horchata", "Horchata", "Rice, almond, cinnamon", 4.75, true),
    ],
  },
];

export const regions = [
  { region: "San Jose (CA)", centre: { lon: -121.8863, lat: 37.3382 }, halfExtent: 0.0675 },
  { region: "Oakland (CA)", centre: { lon: -122.2364, lat: 37.8044 }, halfExtent: 0.0675 },
  { region: "San Francisco (CA)", centre: { lon: -122.4376, lat: 37.7577 }, halfExtent: 0.0675 },
];
