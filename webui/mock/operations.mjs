// The data of the operations page of the development mock: some of it is real, most of it invented.
import { regions } from "./catalogue.mjs";

const DRIVERS_PER_REGION = 14;

export class Operations {
  faults = {
    restaurant: {
      errorRate: 0,
      nonsenseRate: 0,
      latencyMs: 0,
      rejectRate: 0,
      silenceRate: 0,
      duplicateCallbackRate: 0,
    },
    payment: {
      errorRate: 0,
      nonsenseRate: 0,
      errorAfterChargeRate: 0,
      latencyMs: 0,
      declineRate: 0,
      wrongAmountRate: 0,
    },
  };
  load = { ordersPerSecond: 0 };
  #orders;
  #delivered = 1280;
  #throughput = [];
  #deadLetters;

  constructor(orders, now) {
    this.#orders = orders;
    for (let second = 119; second >= 0; second--) {
      this.#throughput.push({ at: now - second * 1000, perSecond: this.#rate(now - second * 1000) });
    }
    const letter = (offset, key, reason, value) => ({
      topic: "orders",
      partition: 0,
      offset,
      key,
      reason,
      value,
      at: now - offset * 7000,
    });
    this.#deadLetters = [
      letter(
        12,
        "7d1f0c62",
        "invalid order: products[0].quantity must be from 1 to 999",
        '{"orderId":"7d1f0c62","restaurantId":"la-piazza","products":[{"productId":"margherita","description":"Pizza Margherita","quantity":0}],"totalCost":12.50,"deliveryDelay":0}',
      ),
      letter(
        44,
        "b2c9",
        "invalid order: must be readable: expected value at line 1 column 1",
        "not json at all",
      ),
      letter(
        97,
        "a-90",
        "invalid order: region must be one of San Jose (CA), Oakland (CA), San Francisco (CA)",
        '{"orderId":"a-90","restaurantId":"r-7","products":[{"productId":"p","description":"Soup","quantity":1}],"totalCost":9.00,"deliveryDelay":0,"region":"Atlantis"}',
      ),
    ];
  }

  replay() {
    this.#deadLetters = this.#deadLetters.slice(1);
  }

  #rate(at) {
    const wave = 3 + 1.6 * Math.sin(at / 9000) + 0.9 * Math.sin(at / 2700);
    return Math.round((wave + this.load.ordersPerSecond) * 10) / 10;
  }

  #drivers(now) {
    const wandering = regions.flatMap(({ region, centre, halfExtent }, r) =>
      Array.from({ length: DRIVERS_PER_REGION }, (_, n) => {
        const phase = n * 2.4 + r;
        const turn = now / (60_000 + n * 4000);
        return {
          driverId: `driver-${r}${String(n).padStart(2, "0")}`,
          region,
          lon: centre.lon + halfExtent * 0.85 * Math.sin(turn + phase * 1.7),
          lat: centre.lat + halfExtent * 0.85 * Math.cos(turn * 1.3 + phase),
          timestamp: n === 5 ? now - 180_000 : now,
          deliveryId: n % 3 === 0 ? `load-${r}-${n}` : undefined,
        };
      }),
    );
    const working = this.#orders.live(now).flatMap((order) => {
      const driver = this.#orders.driver(order.orderId, now);
      return driver ? [{ ...driver, region: "San Jose (CA)", deliveryId: order.orderId }] : [];
    });
    return [...wandering, ...working];
  }

  view(now) {
    const live = this.#orders.live(now);
    const byStatus = {
      DELIVERED: this.#delivered,
      REJECTED: 17,
      CANCELLED: 9,
      WAITING_FOR_DRIVER: 4,
      IN_DELIVERY: 6,
    };
    for (const order of this.#orders.all(now)) byStatus[order.status] = (byStatus[order.status] ?? 0) + 1;
    byStatus.IN_PREPARATION = (byStatus.IN_PREPARATION ?? 0) + 5 + this.load.ordersPerSecond * 3;
    byStatus.SCHEDULED = (byStatus.SCHEDULED ?? 0) + 2;
    const wobble = (base) => Math.round(base * (1 + 0.08 * Math.sin(now / 5000 + base)));
    return {
      now,
      regions,
      drivers: this.#drivers(now),
      orders: { byStatus },
      deliveries: live
        .filter((order) =>
          ["WAITING_FOR_DRIVER", "IN_DELIVERY", "SCHEDULING_DELIVERY"].includes(order.status),
        )
        .map(({ orderId, status, driverId, order }) => ({
          orderId,
          status,
          driverId,
          restaurantLocation: order.restaurantLocation,
          customerLocation: order.customerLocation,
        })),
      stuck: [
        { orderId: "0198f3aa-stuck-1", status: "IN_PREPARATION", since: now - 412_000 },
        { orderId: "0198f3aa-stuck-2", status: "SCHEDULING_DELIVERY", since: now - 95_000 },
      ],
      deadLetters: this.#deadLetters,
      stages: [
        { stage: "CREATED", p50Ms: wobble(90), p95Ms: wobble(240) },
        { stage: "SCHEDULED", p50Ms: wobble(40), p95Ms: wobble(130) },
        { stage: "IN_PREPARATION", p50Ms: wobble(4900), p95Ms: wobble(7600) },
        { stage: "SCHEDULING_DELIVERY", p50Ms: wobble(420), p95Ms: wobble(2300) },
        { stage: "WAITING_FOR_DRIVER", p50Ms: wobble(5200), p95Ms: wobble(9900) },
        { stage: "IN_DELIVERY", p50Ms: wobble(8100), p95Ms: wobble(14_200) },
      ],
      throughput: this.#throughput,
    };
  }

  tick(now) {
    this.#throughput = [...this.#throughput.slice(-119), { at: now, perSecond: this.#rate(now) }];
    this.#delivered += Math.round(this.#rate(now));
    const { regions: _unchanged, drivers, ...rest } = this.view(now);
    return { ...rest, drivers: drivers.filter((driver) => now - driver.timestamp < 2000) };
  }
}
