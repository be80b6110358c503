import { describe, expect, it } from "vitest";
import { EventStreamParser } from "./parser";

const STREAM =
  ': hello\n\nevent: snapshot\ndata: {"a":1}\n\nid: 3\nevent: status\ndata: one\ndata: two\n\ndata: last\n\n';
const EVENTS = [
  { event: "snapshot", data: '{"a":1}', id: "" },
  { event: "status", data: "one\ntwo", id: "3" },
  { event: "message", data: "last", id: "3" },
];

describe("the event stream parser", () => {
  it("reads whole events", () => {
    expect(new EventStreamParser().feed(STREAM)).toEqual(EVENTS);
  });

  it("reads the same events wherever the stream is cut and whatever ends its lines", () => {
    for (const lineEnd of ["\n", "\r\n", "\r"]) {
      const stream = `\uFEFF${STREAM.replaceAll("\n", lineEnd)}`;
      for (let size = 1; size <= stream.length; size++) {
        const parser = new EventStreamParser();
        const events = [];
        for (let at = 0; at < stream.length; at += size)
          events.push(...parser.feed(stream.slice(at, at + size)));
        // A CR at the end is kept until it is clear that no LF follows.
        events.push(...parser.feed(":"));
        expect(events).toEqual(EVENTS);
      }
    }
  });

  it("continues from the given id", () => {
    expect(new EventStreamParser("8").feed("data: x\n\n")).toEqual([
      { event: "message", data: "x", id: "8" },
    ]);
  });

  it("drops an event without data, as a browser does", () => {
    expect(new EventStreamParser().feed("event: status\nid: 4\n\ndata: x\n\n")).toEqual([
      { event: "message", data: "x", id: "4" },
    ]);
  });
});
