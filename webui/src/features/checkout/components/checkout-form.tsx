import { type ReactNode, useRef, useState } from "react";
import { Link } from "wouter";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import type { Problem } from "@/lib/http/problem";
import { type Cents, formatCents } from "@/lib/money";
import { useStore } from "@/lib/persisted-store";
import { serverClock } from "@/lib/server-clock";
import type { LonLat } from "@/types/geo";
import { checkDraft, type Draft, type DraftErrors, draftStore } from "../draft";
import { type OrderContent, type PlaceOrderEvents, usePlaceOrder } from "../use-place-order";
import styles from "./checkout-form.module.css";
import { PlacingStatus } from "./placing-status";
import { Section } from "./section";
import { WhenField } from "./when-field";
import { WhereField } from "./where-field";

interface CheckoutFormProps extends PlaceOrderEvents {
  /** What is ordered, without the place. */
  order: Omit<OrderContent, "customerLocation">;
  total: Cents;
  count: string;
  restaurant: { name: string; location: LonLat | undefined };
  /** The dishes. */
  children: ReactNode;
}

/** Where and when to deliver, and the button that places the order. */
export function CheckoutForm({ order, total, count, restaurant, children, ...events }: CheckoutFormProps) {
  const draft = useStore(draftStore);
  const [errors, setErrors] = useState<DraftErrors>({});
  const form = useRef<HTMLFormElement>(null);
  const { placing, place, stop, isPending } = usePlaceOrder(events);
  const isBusy = placing.phase === "sending" || placing.phase === "waiting";
  const refusal = placing.phase === "refused" ? fieldErrors(placing.problem) : {};

  function change(next: Partial<Draft>): void {
    draftStore.update((current) => ({ ...current, ...next }));
    setErrors((current) => Object.fromEntries(Object.entries(current).filter(([field]) => !(field in next))));
  }

  function submit(): void {
    const result = checkDraft(draftStore.get(), serverClock.now());
    if ("errors" in result) {
      setErrors(result.errors);
      const name = result.errors.where ? "where" : "time";
      requestAnimationFrame(() =>
        form.current?.querySelector<HTMLInputElement>(`input[name="${name}"]`)?.focus(),
      );
      return;
    }
    setErrors({});
    const { start, customerLocation } = result.checked;
    void place({ ...order, customerLocation }, start);
  }

  const now = checkDraft(draft, serverClock.now());
  const wasLeft =
    placing.phase === "idle" &&
    "checked" in now &&
    isPending({ ...order, customerLocation: now.checked.customerLocation }, now.checked.start);

  return (
    <form
      ref={form}
      className={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <fieldset className={styles.steps} disabled={isBusy}>
        <legend className="visually-hidden">Your order</legend>
        <Section number={1} title={`${count} from ${restaurant.name}`}>
          {children}
        </Section>
        <Section number={2} title="Where to?">
          <WhereField
            value={draft.where}
            error={errors.where ?? refusal.where}
            restaurant={restaurant.location}
            onChange={(where) => change({ where })}
          />
        </Section>
        <Section number={3} title="When?">
          <WhenField
            value={draft.when}
            error={errors.when ?? refusal.when}
            onChange={(when) => change({ when })}
          />
        </Section>
      </fieldset>
      <aside className={styles.summary} aria-label="Summary">
        <dl className={styles.sums}>
          <div>
            <dt>{count}</dt>
            <dd className="tabular">{formatCents(total)}</dd>
          </div>
          <div>
            <dt>Delivery</dt>
            <dd>free</dd>
          </div>
          <div className={styles.total}>
            <dt>Total</dt>
            <dd className="tabular">
              <output>{formatCents(total)}</output>
            </dd>
          </div>
        </dl>
        <Button type="submit" look="primary" size="large" isBusy={isBusy}>
          {isBusy ? "Placing your order" : "Place order"}
        </Button>
        <p className={styles.fine}>Charged to the demo card. No real money moves.</p>
        {wasLeft ? (
          <Notice tone="warning" icon="refresh" title="This order was being sent">
            <p>
              The page was closed before the kitchen answered. Place it again to be sure: it will be ordered
              only once.
            </p>
          </Notice>
        ) : null}
        {Object.keys(errors).length > 0 ? (
          <p className="visually-hidden" role="alert">
            The order is not complete: {Object.values(errors).join(" ")}
          </p>
        ) : null}
        <PlacingStatus placing={placing} onStop={stop} />
        <Link href="/" className={styles.back}>
          Add more dishes
        </Link>
      </aside>
    </form>
  );
}

/** The faults that the gateway has found in the fields of this form. */
function fieldErrors(problem: Problem): DraftErrors {
  const about = (field: string) => problem.errors.find((error) => error.field.startsWith(field))?.detail;
  const where = about("customerLocation");
  const when = about("deliveryDelay");
  return {
    ...(where ? { where: `The place ${where}.` } : {}),
    ...(when ? { when: `The time ${when}.` } : {}),
  };
}
