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
  /** The gateway said no. */
  | { phase: "refused"; problem: Problem }
  /** Nobody knows; the customer did not want to wait any longer. */
  | { phase: "unconfirmed"; ticket: Ticket };

export type OrderContent = Omit<NewOrder, "orderId" | "deliveryDelay">;

export interface PlaceOrderEvents {
  onPlaced: (ticket: Ticket) => void;
  /** It is not known whether it was taken: it must be found again whatever happens. */
  onUncertain: (ticket: Ticket) => void;
  /** It was not taken after all. */
  onRefused: (orderId: string) => void;
}

/** Places one order, however often it is told to. */
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
    /** Its ticket is none until the gateway has given one; then nothing can have been ordered yet. */
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
        // Sent or not, the attempt stays: sent again, it is the same order.
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
    /** The customer does not want to wait any longer. */
    stop: () => running.current?.abort(),
    /** Whether this very order was being sent when the page was left. */
    isPending: (content: OrderContent, start: Start) =>
      attempt !== null && attempt.content === contentOf(content, start),
  };
}

/** The id of the attempt to send this content; whoever has asked for one first, in whichever tab, decides. */
async function ticketFor(content: string, signal: AbortSignal): Promise<Ticket> {
  const current = attemptStore.get();
  if (current?.content === content) return current;
  const ticket = await makeOrderId(signal);
  return attemptStore.update((newest) => attemptFor(newest, content, ticket)) ?? ticket;
}

/**
 * How long the kitchen waits. An order that is sent again has to be the same order to the last field, so the delay of the first
 * time counts, although some of it may have passed.
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
