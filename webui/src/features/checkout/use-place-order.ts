import { useEffect, useRef, useState } from "react";
import { connectivity } from "@/lib/connectivity";
import { ApiError, type Problem } from "@/lib/http/problem";
import { useStore } from "@/lib/persisted-store";
import { serverClock } from "@/lib/server-clock";
import { type NewOrder, placeOrder } from "./api/place-order";
import { attemptFor, attemptStore, contentOf, makeOrderId } from "./attempt";
import { delayOf, type Start } from "./draft";
import { type SendState, sendUntilAnswered } from "./send";

export type Placing =
  | { phase: "idle" }
  | SendState
  /** The gateway said no. */
  | { phase: "refused"; problem: Problem }
  /** Nobody knows; the customer did not want to wait any longer. */
  | { phase: "unconfirmed"; orderId: string };

export type OrderContent = Omit<NewOrder, "orderId" | "deliveryDelay">;

export interface PlaceOrderEvents {
  onPlaced: (orderId: string) => void;
  /** It is not known whether it was taken: it must be found again whatever happens. */
  onUncertain: (orderId: string) => void;
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
    const { orderId } = attemptStore.update((current) => attemptFor(current, key, makeOrderId)) ?? {
      orderId: makeOrderId(),
    };
    const forget = () => attemptStore.update((current) => (current?.orderId === orderId ? null : current));
    let isUncertain = false;
    try {
      await sendUntilAnswered({
        send: (signal) =>
          placeOrder({ orderId, ...content, deliveryDelay: delayOf(start, serverClock.now()) }, signal),
        signal: abort.signal,
        onBack: connectivity.onBack,
        onState: (state) => {
          setPlacing(state);
          if (state.phase === "waiting" && !isUncertain) {
            isUncertain = true;
            events.onUncertain(orderId);
          }
        },
      });
      forget();
      events.onPlaced(orderId);
    } catch (error) {
      if (abort.signal.aborted) {
        // Sent or not, the attempt stays: sent again, it is the same order.
        setPlacing({ phase: "unconfirmed", orderId });
      } else {
        forget();
        events.onRefused(orderId);
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
