// Orders of the development mock: all their changes are planned when they are placed, and become visible as time passes.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { restaurants } from "./catalogue.mjs";

const CANCELLABLE = [
  "NEW",
  "CREATED",
  "SCHEDULED",
  "IN_PREPARATION",
  "SCHEDULING_DELIVERY",
  "WAITING_FOR_DRIVER",
];
export const TERMINAL = ["DELIVERED", "REJECTED", "CANCELLED"];

/** All orders. With a `file` they survive a restart, as in the real system. */
export class Orders {
  #orders = new Map();
  #file;
  #speed;

  constructor({ file, speed }) {
    this.#file = file;
    this.#speed = speed;
    if (file && existsSync(file)) {
      for (const order of JSON.parse(readFileSync(file, "utf8"))) this.#orders.set(order.orderId, order);
    }
  }

  place(order, faults, now) {
    if (this.#orders.has(order.orderId)) return;
    const restaurant = restaurants.find((it) => it.restaurantId === order.restaurantId);
    const restaurantLocation = restaurant?.location ?? { lon: -121.88, lat: 37.33 };
    const customerLocation = order.customerLocation ?? { lon: -121.9, lat: 37.32 };
    const driverId = `driver-${String.fromCharCode(97 + (this.#orders.size % 2))}`;
    const start = { lon: restaurantLocation.lon - 0.014, lat: restaurantLocation.lat - 0.009 };
    const declined = Math.random() < faults.payment.declineRate;
    const refused = Math.random() < faults.restaurant.rejectRate;
    const silent = Math.random() < faults.restaurant.silenceRate;

    const events = [];
    let at = now;
    const then = (ms, status, more = {}) => {
      at += ms / this.#speed;
      const { eta = null } = more;
      events.push({ status, eta, at, version: events.length + 1, ...more });
    };
    then(250, "CREATED");
    if (declined) then(700, "REJECTED", { reason: "the payment was declined: card declined" });
    else {
      then(700, "SCHEDULED");
      at += order.deliveryDelay;
      then(400, "IN_PREPARATION");
      if (refused)
        then(1500, "REJECTED", { reason: "the restaurant cannot take the order: the kitchen is full" });
      else if (silent) then(20_000, "CANCELLED", { reason: "the restaurant did not answer in time" });
      else {
        then(7000, "SCHEDULING_DELIVERY");
        const eta = Math.round(at + 24_500 / this.#speed);
        then(1500, "WAITING_FOR_DRIVER", { driverId, eta });
        then(9000, "IN_DELIVERY", { driverId, eta: eta + 1200 });
        then(15_000, "DELIVERED", { driverId, eta: eta + 1200 });
      }
    }
    for (const event of events) event.at = Math.round(event.at);
    this.#orders.set(order.orderId, {
      ...order,
      restaurantLocation,
      customerLocation,
      driverId,
      start,
      events,
    });
    this.#save();
  }

  cancel(orderId, now) {
    const order = this.#orders.get(orderId);
    const { status } = this.view(orderId, now);
    if (!CANCELLABLE.includes(status)) return { accepted: false, status };
    order.events = order.events.filter((event) => event.at <= now);
    order.events.push({
      status: "CANCELLED",
      eta: null,
      at: now,
      version: order.events.length + 1,
      reason: "cancelled by the customer",
    });
    this.#save();
    return { accepted: true, status: "CANCELLED" };
  }

  has = (orderId) => this.#orders.has(orderId);

  events = (orderId, now) => this.#orders.get(orderId).events.filter((event) => event.at <= now);

  /** An order as in the answer to `GET /api/orders/{id}`. */
  view(orderId, now) {
    const order = this.#orders.get(orderId);
    const events = this.events(orderId, now);
    const last = events.at(-1) ?? { status: "NEW", eta: null, version: 0 };
    const { status, eta, version, reason, driverId } = last;
    const { restaurantId, products, totalCost, restaurantLocation, customerLocation, deliveryDelay } = order;
    const history = events
      .filter((event, n) => event.status !== events[n - 1]?.status)
      .map((event) => ({ status: event.status, at: event.at, version: event.version, reason: event.reason }));
    return {
      orderId,
      status,
      eta,
      version,
      reason,
      driverId,
      history,
      now,
      order: {
        restaurantId,
        products,
        totalCost,
        deliveryDelay,
        region: "San Jose (CA)",
        restaurantLocation,
        customerLocation,
      },
    };
  }

  /** Where the driver of an order is; `null` unless it is under way. */
  driver(orderId, now) {
    const order = this.#orders.get(orderId);
    const at = (status) =>
      order.events.find((event) => event.status === status)?.at ?? Number.POSITIVE_INFINITY;
    const { status } = this.view(orderId, now);
    const leg = (from, to, since, until) => {
      const t = Math.min(1, Math.max(0, (now - since) / (until - since)));
      // First east or west, then north or south, as along streets.
      const corner = { lon: to.lon, lat: from.lat };
      const [a, b, u] = t < 0.5 ? [from, corner, t * 2] : [corner, to, t * 2 - 1];
      return { lon: a.lon + (b.lon - a.lon) * u, lat: a.lat + (b.lat - a.lat) * u };
    };
    let place = null;
    if (status === "WAITING_FOR_DRIVER") {
      place = leg(order.start, order.restaurantLocation, at("WAITING_FOR_DRIVER"), at("IN_DELIVERY"));
    } else if (status === "IN_DELIVERY") {
      place = leg(order.restaurantLocation, order.customerLocation, at("IN_DELIVERY"), at("DELIVERED"));
    }
    return place && { driverId: order.driverId, ...place, timestamp: now };
  }

  live(now) {
    return [...this.#orders.keys()]
      .map((id) => this.view(id, now))
      .filter((order) => !TERMINAL.includes(order.status));
  }

  all(now) {
    return [...this.#orders.keys()].map((id) => this.view(id, now));
  }

  #save() {
    if (!this.#file) return;
    // The newest two hundred are enough.
    writeFileSync(this.#file, JSON.stringify([...this.#orders.values()].slice(-200)));
  }
}
