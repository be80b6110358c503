// Development mock of the gateway: behaves as the API's contract says, without the system behind it. Never part of the bundle.
//
//   npm run mock                     http://127.0.0.1:3000, also serves dist/ if it has been built
//
//   PORT=3000            the port it listens on
//   MOCK_SPEED=1         how fast orders progress
//   MOCK_STATE=file      keeps the orders across restarts
//   MOCK_TOKEN=secret    the token that /api/operations requires, as from another machine
//
// POST /mock {"brokerDown":true} leaves every order unconfirmed (503), {"token":"x"} makes /api/operations require a token.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { restaurants } from "./catalogue.mjs";
import { Operations } from "./operations.mjs";
import { Orders, TERMINAL } from "./orders.mjs";

const PORT = Number(process.env.PORT ?? 3000);
const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const HEARTBEAT_MS = 5_000;

const orders = new Orders({ file: process.env.MOCK_STATE, speed: Number(process.env.MOCK_SPEED ?? 1) });
const operations = new Operations(orders, Date.now());
const switches = { brokerDown: false, token: process.env.MOCK_TOKEN ?? null };
let posts = 0;

const SECURITY_HEADERS = {
  "content-security-policy":
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; font-src 'self'; " +
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
};
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
};

function json(response, status, body, headers = {}) {
  response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store", ...headers });
  response.end(JSON.stringify(body));
}

function problem(response, status, kind, title, detail, more = {}, headers = {}) {
  json(
    response,
    status,
    { type: `urn:food-ordering:problem:${kind}`, title, status, detail, ...more },
    { "content-type": "application/problem+json", ...headers },
  );
}

const notFound = (response, orderId) =>
  problem(response, 404, "order-not-found", "Order not found", `there is no order ${orderId}`, { orderId });

async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString("utf8"));
}

function violations(order) {
  const errors = [];
  const add = (field, detail) =>
    errors.push({ field, pointer: `#/${field.replace(/[.[\]]+/g, "/").replace(/\/$/, "")}`, detail });
  const menu = restaurants.find((it) => it.restaurantId === order.restaurantId)?.menu;
  if (!Array.isArray(order.products) || order.products.length === 0)
    add("products", "must have 1 to 100 lines");
  else if (menu) {
    let total = 0;
    order.products.forEach((product, line) => {
      const dish = menu.find((it) => it.productId === product.productId);
      if (!dish) add(`products[${line}].productId`, "is not on the menu");
      else total += Math.round(dish.price * 100) * product.quantity;
    });
    if (errors.length === 0 && total !== Math.round(order.totalCost * 100)) {
      add("totalCost", `must be ${(total / 100).toFixed(2)}, as the menu says`);
    }
  }
  if (!(order.deliveryDelay >= 0 && order.deliveryDelay <= 2_592_000_000)) {
    add("deliveryDelay", "must be from 0 to 2592000000 ms");
  }
  const place = order.customerLocation;
  if (place && Math.hypot(place.lon + 121.8863, place.lat - 37.3382) > 0.2) {
    add("customerLocation", "must be near San Jose (CA)");
  }
  return errors;
}

async function placeOrder(request, response) {
  posts += 1;
  const order = await bodyOf(request);
  order.orderId ??= crypto.randomUUID();
  const errors = violations(order);
  if (errors.length > 0) {
    const detail = `invalid order: ${errors.map((error) => `${error.field} ${error.detail}`).join("; ")}`;
    return problem(response, 422, "invalid-order", "The order is not valid", detail, { errors });
  }
  if (switches.brokerDown) {
    const detail = `order ${order.orderId} may or may not have been taken: repeat the request`;
    return problem(
      response,
      503,
      "order-not-confirmed",
      "The order could not be confirmed",
      detail,
      { orderId: order.orderId },
      { "retry-after": "2" },
    );
  }
  orders.place(order, operations.faults, Date.now());
  const location = `/api/orders/${order.orderId}`;
  return json(
    response,
    202,
    { orderId: order.orderId, status: "NEW", links: { self: location } },
    { location },
  );
}

function openStream(request, response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const heartbeat = setInterval(() => response.write(": heartbeat\n\n"), HEARTBEAT_MS);
  const timers = [heartbeat];
  request.on("close", () => timers.forEach(clearInterval));
  return {
    send: (event, data, id) =>
      response.write(
        `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
      ),
    caughtUp: () => response.write(": caught up\n\n"),
    every: (ms, action) => timers.push(setInterval(action, ms)),
  };
}

function orderEvents(request, response, orderId) {
  const stream = openStream(request, response);
  const { order: _details, ...snapshot } = orders.view(orderId, Date.now());
  let told = Number(request.headers["last-event-id"] ?? Number.NaN);
  if (Number.isNaN(told)) {
    stream.send("snapshot", snapshot, snapshot.version);
    told = snapshot.version;
  }
  const tell = () => {
    if (response.writableEnded) return;
    const now = Date.now();
    for (const event of orders.events(orderId, now).filter((it) => it.version > told)) {
      stream.send("status", { orderId, ...event }, event.version);
      told = event.version;
    }
    const driver = orders.driver(orderId, now);
    if (driver && Math.floor(now / 1000) !== lastSecond) {
      lastSecond = Math.floor(now / 1000);
      stream.send("driver", driver);
    }
    const last = orders.events(orderId, now).at(-1);
    if (last && TERMINAL.includes(last.status) && now - last.at > 5000) {
      stream.send("end", {});
      response.end();
    }
  };
  let lastSecond = 0;
  tell();
  stream.caughtUp();
  stream.every(50, tell);
}

function operationsEvents(request, response) {
  const stream = openStream(request, response);
  stream.send("snapshot", operations.view(Date.now()));
  stream.caughtUp();
  stream.every(1000, () => stream.send("tick", operations.tick(Date.now())));
}

async function operationsApi(request, response, path) {
  if (switches.token && request.headers.authorization !== `Bearer ${switches.token}`) {
    return problem(
      response,
      401,
      "token-needed",
      "A token is needed",
      "send Authorization: Bearer and the token",
    );
  }
  if (path === "/api/operations/events") return operationsEvents(request, response);
  if (path === "/api/operations/load") {
    if (request.method === "PUT") operations.load = await bodyOf(request);
    return json(response, 200, operations.load);
  }
  if (path === "/api/operations/dead-letters/replay") {
    await bodyOf(request);
    operations.replay();
    return json(response, 202, {});
  }
  const plan = path.match(/^\/api\/operations\/faults\/(restaurant|payment)$/)?.[1];
  if (plan) {
    if (request.method === "PUT") Object.assign(operations.faults[plan], await bodyOf(request));
    return json(response, 200, operations.faults[plan]);
  }
  return problem(response, 404, "not-found", "Not found", `there is no ${path}`);
}

async function handle(request, response) {
  const path = new URL(request.url, "http://mock").pathname;
  if (path === "/health") return json(response, 200, { status: "UP" });
  if (path === "/mock") {
    if (request.method === "POST") Object.assign(switches, await bodyOf(request));
    return json(response, 200, { ...switches, posts });
  }
  if (path === "/api/config")
    return json(response, 200, { restateUi: "http://127.0.0.1:9070", tileUrl: null });
  if (path === "/api/restaurants") return json(response, 200, { restaurants });
  if (path === "/api/order-ids" && request.method === "POST")
    return json(response, 200, { orderId: crypto.randomUUID(), key: null });
  if (path === "/api/orders" && request.method === "POST") return placeOrder(request, response);
  if (path.startsWith("/api/operations/")) return operationsApi(request, response, path);

  const [, id, verb] = path.match(/^\/api\/orders\/([^/]+)(?:\/(cancel|events))?$/) ?? [];
  if (id !== undefined) {
    const orderId = decodeURIComponent(id);
    if (!orders.has(orderId)) return notFound(response, orderId);
    if (verb === "events") return orderEvents(request, response, orderId);
    if (verb === "cancel") {
      const outcome = orders.cancel(orderId, Date.now());
      if (outcome.accepted) return json(response, 200, outcome);
      const detail = TERMINAL.includes(outcome.status)
        ? `the order has ended: ${outcome.status}`
        : "the driver has it already and brings it";
      return problem(response, 409, "not-cancellable", "The order cannot be cancelled", detail, {
        orderId,
        orderStatus: outcome.status,
      });
    }
    return json(response, 200, orders.view(orderId, Date.now()));
  }
  if (path.startsWith("/api/"))
    return problem(response, 404, "not-found", "Not found", `there is no ${path}`);
  return file(response, path);
}

function file(response, path) {
  let name = join(DIST, normalize(path));
  if (!name.startsWith(DIST) || !existsSync(name) || !statSync(name).isFile())
    name = join(DIST, "index.html");
  if (!existsSync(name))
    return problem(response, 404, "not-found", "Not found", "run npm run build, or use npm run dev");
  const isHashed = path.startsWith("/assets/");
  response.writeHead(200, {
    ...SECURITY_HEADERS,
    "content-type": TYPES[extname(name)] ?? "application/octet-stream",
    "cache-control": isHashed ? "public, max-age=31536000, immutable" : "no-cache",
  });
  createReadStream(name).pipe(response);
}

const server = createServer((request, response) => {
  handle(request, response).catch((error) => {
    if (!response.headersSent)
      problem(response, 400, "malformed-request", "The request cannot be read", String(error));
  });
});
server.listen(PORT, "127.0.0.1", () =>
  console.log(`development mock of the gateway: http://127.0.0.1:${PORT}`),
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(0));
