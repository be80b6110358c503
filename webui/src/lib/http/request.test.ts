import * as v from "valibot";
import { afterEach, describe, expect, it, vi } from "vitest";
import { GatewayGoneError, UnexpectedAnswerError } from "./problem";
import { request } from "./request";

const schema = v.object({ status: v.string() });
const answer = (status: number, type: string, body: string) =>
  vi.stubGlobal("fetch", () =>
    Promise.resolve(new Response(body, { status, headers: { "content-type": type } })),
  );

describe("a request", () => {
  afterEach(() => void vi.unstubAllGlobals());

  it("returns the gateway's answer", async () => {
    for (const type of ["application/json", "application/json; charset=utf-8", "Application/JSON"]) {
      answer(200, type, '{"status":"UP"}');
      expect(await request("/x", { schema })).toEqual({ status: "UP" });
    }
  });

  it.each([
    [200, "text/html"],
    [200, ""],
    [200, "text/plain"],
    [403, "text/html"],
    [404, "text/plain; charset=utf-8"],
    [502, "text/html"],
    [503, ""],
    [511, "text/html"],
  ])("is worth repeating if the answer is not from the gateway: %d %s", async (status, type) => {
    answer(status, type, '{"status":"UP"}');
    await expect(request("/x", { schema })).rejects.toBeInstanceOf(GatewayGoneError);
  });

  it("is refused if the gateway refuses it", async () => {
    answer(404, "application/problem+json", '{"title":"Order not found"}');
    await expect(request("/x", { schema })).rejects.toMatchObject({ problem: { status: 404 } });
  });

  it("fails for good if the gateway's answer has the wrong shape", async () => {
    answer(200, "application/json", "{}");
    await expect(request("/x", { schema })).rejects.toBeInstanceOf(UnexpectedAnswerError);
  });

  it("follows no redirect, and does not wait for ever", async () => {
    const fetched = vi.fn(() => Promise.reject(new TypeError("unexpected redirect")));
    vi.stubGlobal("fetch", fetched);
    await expect(request("/x", { schema })).rejects.toBeInstanceOf(GatewayGoneError);
    const [, init] = fetched.mock.calls[0] as unknown as [string, RequestInit];
    expect(init.redirect).toBe("error");
    expect(init.signal).toBeInstanceOf(AbortSignal);
  });
});
