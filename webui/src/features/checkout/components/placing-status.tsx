import { useEffect, useState } from "react";
import { Link } from "wouter";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { orderPath } from "@/lib/order-link";
import type { Placing } from "../use-place-order";

const FIELD_NAMES: Record<string, string> = {
  orderId: "The order's number",
  restaurantId: "The restaurant",
  products: "The dishes",
  totalCost: "The total",
  deliveryDelay: "The time",
  customerLocation: "The place",
  region: "The region",
};

/** What becomes of the order while it is sent, and what to do if it does not go through. */
export function PlacingStatus({ placing, onStop }: { placing: Placing; onStop: () => void }) {
  return (
    <div aria-live="polite">
      {placing.phase === "waiting" ? (
        <Notice tone="warning" icon="refresh" title="Not confirmed yet">
          <p>
            {placing.message} We send it again <Countdown until={placing.retryAt} />. However often, it is one
            order.
          </p>
          <Button look="quiet" onClick={onStop}>
            Stop trying
          </Button>
        </Notice>
      ) : null}
      {placing.phase === "unconfirmed" ? (
        <Notice tone="warning" title="We could not confirm your order">
          <p>
            It may have reached the kitchen all the same.{" "}
            <Link href={orderPath(placing.ticket.orderId, placing.ticket.key)}>Its page</Link> will tell.
            Place it again unchanged and it stays one order.
          </p>
        </Notice>
      ) : null}
      {placing.phase === "refused" ? (
        <Notice tone="bad" title={placing.problem.title}>
          {placing.problem.errors.length > 0 ? (
            <ul>
              {placing.problem.errors.map((error) => (
                <li key={`${error.field}: ${error.detail}`}>
                  {FIELD_NAMES[error.field.replace(/[[.].*$/, "")] ?? error.field} {error.detail}.
                </li>
              ))}
            </ul>
          ) : (
            <p>{placing.problem.detail}</p>
          )}
          <p>Nothing was ordered or charged. Your cart is as it was.</p>
        </Notice>
      ) : null}
    </div>
  );
}

/** `in 3 s`; silent for screen readers, who would hear every second of it. */
function Countdown({ until }: { until: number }) {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.ceil((until - now) / 1000);
  return (
    <>
      <span aria-hidden="true">{seconds > 0 ? `in ${seconds} s` : "now"}</span>
      <span className="visually-hidden">by ourselves</span>
    </>
  );
}
