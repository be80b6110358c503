import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** What happens on a connection: data passes; it stays open, but nothing passes; every request is answered by a login page. */
export type Passage = "forward" | "swallow" | "login page";

const LOGIN_PAGE = "<!doctype html><title>Welcome to our Wi-Fi</title>";

/** A TCP proxy in front of a server: a network that can fail without either end being notified. */
export class TcpProxy {
  /** Where it listens. */
  readonly url: string;
  /** How many requests were sent over connections on which nothing passes. */
  swallowed = 0;
  /** How many requests were answered by a login page. */
  loginPages = 0;

  readonly #server: Server;
  readonly #connections = new Set<{ client: Socket; server: Socket; passage: Passage }>();
  #passage: Passage = "forward";

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Starts a proxy for the server at this address, such as `http://127.0.0.1:3000`. */
  static async to(address: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(address);
    const server = createServer((client) => proxy.#accept(client, connect(Number(port), hostname)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const proxy = new TcpProxy(server);
    return proxy;
  }

  /** From now on nothing passes over the existing connections, which stay open. `next` applies to new ones. */
  silence(next: Passage): void {
    for (const connection of this.#connections) connection.passage = "swallow";
    this.#passage = next;
  }

  close(): void {
    this.#server.close();
    for (const { client, server } of this.#connections) {
      client.destroy();
      server.destroy();
    }
  }

  #accept(client: Socket, server: Socket): void {
    const connection = { client, server, passage: this.#passage };
    this.#connections.add(connection);
    client.on("data", (data) => {
      if (connection.passage === "forward") server.write(data);
      else if (connection.passage === "swallow") this.swallowed += 1;
      else {
        this.loginPages += 1;
        const head = ["HTTP/1.1 200 OK", "content-type: text/html", `content-length: ${LOGIN_PAGE.length}`];
        client.write(`${head.join("\r\n")}\r\n\r\n${LOGIN_PAGE}`);
      }
    });
    server.on("data", (data) => {
      if (connection.passage === "forward") client.write(data);
    });
    // The browser may close any connection. On a silenced one, it does not learn that the server has closed it.
    client.on("close", () => {
      server.destroy();
      this.#connections.delete(connection);
    });
    server.on("close", () => {
      if (connection.passage === "forward") client.destroy();
    });
    for (const socket of [client, server]) socket.on("error", () => socket.destroy());
  }
}
