import { useEffect, useRef, useState } from "react";
import { connectivity } from "@/lib/connectivity";
import { ApiError, type Problem } from "@/lib/http/problem";
import { useStore } from "@/lib/persisted-store";
import { serverClock } from "@/lib/server-clock";
import { makeOrderId, type Ticket } from "./api/make-order-id";
import { type NewOrder, placeOrder } from "./api/place-order";
import { attemptFor, attemptStore, contentOf, sentWith } from "./attempt";
import { delayOf, type Start } from "./draft";
import { type SendState, sendUntilAnswered } from "./send";

export type Placing =
  | { phase: "idle" }
  | SendState
  /** The gateway refused it. */
  | { phase: "refused"; problem: Problem }
  /** Nobody knows whether it was accepted; the customer stopped waiting. */
  | { phase: "unconfirmed"; ticket: Ticket };

export type OrderContent = Omit<NewOrder, "orderId" | "deliveryDelay">;

export interface PlaceOrderEvents {
  onPlaced: (ticket: Ticket) => void;
  /** It is unknown whether it was accepted, so it must be found again whatever happens. */
  onUncertain: (ticket: Ticket) => void;
  /** It was not accepted after all. */
  onRefused: (orderId: string) => void;
}

/** Places one order, however often it is called. */
export function usePlaceOrder(events: PlaceOrderEvents) {
  const [placing, setPlacing] = useState<Placing>({ phase: "idle" });
  const running = useRef<AbortController | null>(null);
  const attempt = useStore(attemptStore);
  useEffect(() => () => running.current?.abort(), []);

  async function place(content: OrderContent, start: Start): Promise<void> {
    if (running.current !== null) return;
    const abort = new AbortController();
    running.current = abort;
    const key = contentOf(content, start);
    const { signal } = abort;
    /** `null` until the gateway has issued a ticket; until then nothing can have been ordered. */
    const sent: { ticket: Ticket | null } = { ticket: null };
    const forget = () =>
      attemptStore.update((current) => (current?.orderId === sent.ticket?.orderId ? null : current));
    let isUncertain = false;
    try {
      await sendUntilAnswered({
        send: async () => {
          const ticket = await ticketFor(key, signal);
          sent.ticket = ticket;
          const deliveryDelay = delayFor(ticket, start);
          return placeOrder({ orderId: ticket.orderId, ...content, deliveryDelay }, ticket.key, signal);
        },
        signal,
        onBack: connectivity.onBack,
        onState: (state) => {
          setPlacing(state);
          if (state.phase === "waiting" && sent.ticket !== null && !isUncertain) {
            isUncertain = true;
            events.onUncertain(sent.ticket);
          }
        },
      });
      forget();
      if (sent.ticket !== null) events.onPlaced(sent.ticket);
    } catch (error) {
      if (signal.aborted) {
        // Whether or not it was sent, the attempt stays: sent again, it is the same order.
        setPlacing(sent.ticket === null ? { phase: "idle" } : { phase: "unconfirmed", ticket: sent.ticket });
      } else {
        forget();
        if (sent.ticket !== null) events.onRefused(sent.ticket.orderId);
        setPlacing({ phase: "refused", problem: problemOf(error) });
      }
    } finally {
      running.current = null;
    }
  }

  return {
    placing,
    place,
    /** The customer no longer wants to wait. */
    stop: () => running.current?.abort(),
    /** Whether this order was being sent when the page was closed. */
    isPending: (content: OrderContent, start: Start) =>
      attempt !== null && attempt.content === contentOf(content, start),
  };
}

/** The id of the attempt to send this content; the first request for one decides, in whichever tab. */
async function ticketFor(content: string, signal: AbortSignal): Promise<Ticket> {
  const current = attemptStore.get();
  if (current?.content === content) return current;
  const ticket = await makeOrderId(signal);
  return attemptStore.update((newest) => attemptFor(newest, content, ticket)) ?? ticket;
}

/**
 * How long the kitchen waits. A repeated order must be the same order in every field, so the first delay counts, even though some
 * of it may have passed.
 */
function delayFor(ticket: Ticket, start: Start): number {
  const now = delayOf(start, serverClock.now());
  const attempt = attemptStore.update((current) => sentWith(current, ticket.orderId, now));
  return attempt?.orderId === ticket.orderId ? (attempt.deliveryDelay ?? now) : now;
}

function problemOf(error: unknown): Problem {
  if (error instanceof ApiError) return error.problem;
  return {
    status: 0,
    type: "about:blank",
    title: "Something went wrong",
    detail: error instanceof Error ? error.message : "",
    errors: [],
    orderId: null,
    orderStatus: null,
    retryAfterMs: null,
  };
}
