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

/** The state of the order while it is being sent, and what to do if that fails. */
export function PlacingStatus({ placing, onStop }: { placing: Placing; onStop: () => void }) {
  return (
    <div aria-live="polite">
      {placing.phase === "waiting" ? (
        <Notice tone="warning" icon="refresh" title="Not confirmed yet">
          <p>
            {placing.message} We will send it again <Countdown until={placing.retryAt} />. The order will not
            be placed twice.
          </p>
          <Button look="quiet" onClick={onStop}>
            Stop trying
          </Button>
        </Notice>
      ) : null}
      {placing.phase === "unconfirmed" ? (
        <Notice tone="warning" title="We could not confirm your order">
          <p>
            It may have reached the kitchen anyway.{" "}
            <Link href={orderPath(placing.ticket.orderId, placing.ticket.key)}>Its page</Link> shows whether
            it did. If you place it again unchanged, it is still one order.
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

/** `in 3 s`; hidden from screen readers, which would announce every second. */
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
      <span className="visually-hidden">automatically</span>
    </>
  );
}
