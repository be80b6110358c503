import { describe, expect, it } from "vitest";
import { ApiError, GatewayGoneError, isNotFound, isTransient, toProblem } from "./problem";

const none = new Headers();

describe("a problem", () => {
  it("keeps what the document says, field by field", () => {
    const problem = toProblem(422, none, {
      type: "urn:food-ordering:problem:invalid-order",
      title: "The order is not valid",
      detail: "invalid order: totalCost must be 12.50",
      errors: [{ field: "totalCost", pointer: "#/totalCost", detail: "must be 12.50" }],
      orderId: "o-1",
    });
    expect(problem.title).toBe("The order is not valid");
    expect(problem.errors).toEqual([{ field: "totalCost", detail: "must be 12.50" }]);
    expect(problem.orderId).toBe("o-1");
  });

  it("derives a missing field from the pointer", () => {
    const problem = toProblem(422, none, {
      errors: [{ pointer: "#/products/0/quantity", detail: "must be from 1 to 999" }],
    });
    expect(problem.errors).toEqual([{ field: "products[0].quantity", detail: "must be from 1 to 999" }]);
  });

  it("has a plain title if the answer is not a problem document", () => {
    for (const body of [null, "<html>", [], 7, { title: 3, errors: "x" }]) {
      const problem = toProblem(503, none, body);
      expect(problem.title).toBe("Temporarily unavailable");
      expect(problem.errors).toEqual([]);
    }
    expect(toProblem(418, none, null).title).toBe("Something went wrong");
  });

  it("contains the status of an order that could not be cancelled", () => {
    expect(toProblem(409, none, { orderStatus: "IN_DELIVERY" }).orderStatus).toBe("IN_DELIVERY");
    expect(toProblem(409, none, { orderStatus: "TELEPORTED" }).orderStatus).toBe("UNKNOWN");
  });

  it("says when to repeat the request", () => {
    expect(toProblem(503, new Headers({ "retry-after": "2" }), null).retryAfterMs).toBe(2000);
    expect(toProblem(503, new Headers({ "retry-after": "soon" }), null).retryAfterMs).toBeNull();
    expect(toProblem(503, none, null).retryAfterMs).toBeNull();
  });
});

describe("an error", () => {
  const api = (status: number) => new ApiError(toProblem(status, none, null));

  it("is worth repeating without an answer, or if the system is not ready", () => {
    expect([new GatewayGoneError("gone"), api(503), api(502), api(429)].every(isTransient)).toBe(true);
    expect([api(400), api(404), api(409), api(422), api(500), new Error("x")].some(isTransient)).toBe(false);
  });

  it("distinguishes what does not exist from other errors", () => {
    expect(isNotFound(api(404))).toBe(true);
    expect(isNotFound(api(503))).toBe(false);
  });

  it("has its detail as message", () => {
    expect(new ApiError(toProblem(409, none, { detail: "it is on its way" })).message).toBe(
      "it is on its way",
    );
  });
});
