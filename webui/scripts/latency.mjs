// Measures how long after a change of status a browser receives it, with the whole system running:
//
//   DATA_DIR=.food-ordering npm run latency
//
// Orders are placed and followed by a real Chromium, five at a time (a browser opens only six connections to a host). The
// time runs from the `at` of the event, set before it is published, until the page has read it; both clocks are this machine's.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { chromiumFlags, findChromium } from "./chromium.mjs";

const ROUNDS = Number(process.env.ROUNDS ?? 12);
const AT_A_TIME = 5;

const dataDir = process.env.DATA_DIR;
if (!dataDir)
  throw new Error("DATA_DIR must name the data directory of a running system, such as .food-ordering");
const { gateway } = JSON.parse(readFileSync(join(dataDir, "endpoints.json"), "utf8"));
const executablePath = findChromium();
const browser = await chromium.launch({ args: chromiumFlags, ...(executablePath ? { executablePath } : {}) });
const page = await browser.newPage();
await page.goto(gateway);

/** In the page: places an order and follows it to its end. Returns how late each change arrived, in ms. */
async function follow() {
  const orderId = crypto.randomUUID();
  const order = {
    orderId,
    restaurantId: "la-piazza",
    products: [{ productId: "margherita", description: "Pizza Margherita", quantity: 1 }],
    totalCost: 12.5,
    deliveryDelay: 0,
    customerLocation: { lon: -121.89, lat: 37.34 },
  };
  const answer = await fetch("/api/orders", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(order),
  });
  if (!answer.ok) throw new Error(await answer.text());
  const late = [];
  await new Promise((resolve, reject) => {
    const stream = new EventSource(`/api/orders/${orderId}/events`);
    stream.addEventListener("status", ({ data }) => {
      late.push(Date.now() - JSON.parse(data).at);
      if (JSON.parse(data).status !== "DELIVERED") return;
      stream.close();
      resolve();
    });
    setTimeout(() => reject(new Error(`${orderId} is not delivered`)), 120_000);
  });
  return late;
}

const late = [];
for (let round = 0; round < ROUNDS; round++) {
  const heard = await Promise.all(Array.from({ length: AT_A_TIME }, () => page.evaluate(follow)));
  late.push(...heard.flat());
}
await browser.close();
late.sort((a, b) => a - b);
const at = (percent) => late[Math.ceil((late.length * percent) / 100) - 1];
console.log(
  `${late.length} changes of ${ROUNDS * AT_A_TIME} orders: p50 ${at(50)} ms, p95 ${at(95)} ms, maximum ${at(100)} ms`,
);
