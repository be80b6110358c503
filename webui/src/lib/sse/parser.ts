/** A server-sent event. */
export interface ServerSentEvent {
  /** Its name; `message` if it has none. */
  event: string;
  data: string;
  /** The last id in the stream so far, as for `Last-Event-ID`; empty if no event had one. */
  id: string;
}

/**
 * Reads a stream of server-sent events, however it is cut into pieces
 * (<https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>).
 */
export class EventStreamParser {
  #rest = "";
  #begun = false;
  #event = "";
  #data: string[] = [];
  #id: string;
  #hasComment = false;

  /** @param lastEventId the id from which the stream continues */
  constructor(lastEventId = "") {
    this.#id = lastEventId;
  }

  /** Whether there was a comment. */
  get hasComment(): boolean {
    return this.#hasComment;
  }

  /** Takes in a piece of the stream, and returns the events that it completes. */
  feed(piece: string): ServerSentEvent[] {
    let text = this.#rest + piece;
    if (!this.#begun && text !== "") {
      this.#begun = true;
      if (text.startsWith("\uFEFF")) text = text.slice(1);
    }
    const events: ServerSentEvent[] = [];
    let from = 0;
    for (;;) {
      const end = indexOfLineEnd(text, from);
      // A CR at the very end may be the first half of a CRLF.
      if (end === -1 || (text[end] === "\r" && end === text.length - 1)) break;
      const event = this.#line(text.slice(from, end));
      if (event) events.push(event);
      from = end + (text[end] === "\r" && text[end + 1] === "\n" ? 2 : 1);
    }
    this.#rest = text.slice(from);
    return events;
  }

  #line(line: string): ServerSentEvent | null {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) {
      this.#hasComment = true;
      return null;
    }
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    return null;
  }

  #dispatch(): ServerSentEvent | null {
    const event = { event: this.#event || "message", data: this.#data.join("\n"), id: this.#id };
    const isEmpty = this.#data.length === 0;
    this.#event = "";
    this.#data = [];
    return isEmpty ? null : event;
  }
}

function indexOfLineEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === "\n" || text[at] === "\r") return at;
  }
  return -1;
}
