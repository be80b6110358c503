import { Icon } from "@/components/ui/icon";
import { formatClock, formatClockSeconds, formatDuration } from "@/lib/format";
import type { Cents } from "@/lib/money";
import { useNow } from "@/lib/use-now";
import { isTerminal } from "@/types/order";
import { type Progress, STEPS, shareDone } from "../progress";
import { headlineOf, moneyBack, STEP_ICONS, sentence } from "../wording";
import styles from "./headline.module.css";

interface HeadlineProps {
  progress: Progress;
  restaurant: string;
  total: Cents | null;
  /** When the kitchen starts, if known. */
  beginsAt: number | null;
  /** Why the order is delayed. */
  delay: string | null;
  /** Since when nothing has been heard of the order; `null` if `progress` is up to date. */
  outOfTouchSince: number | null;
  isCancelling: boolean;
}

/** The state of the order in large type: what is happening, and how long until the food arrives. */
export function Headline(props: HeadlineProps) {
  const { progress, restaurant, total, beginsAt, delay, outOfTouchSince, isCancelling } = props;
  const { status } = progress;
  const isEnded = status === "REJECTED" || status === "CANCELLED";
  return (
    <section
      className={styles.card}
      data-tone={isEnded ? "ended" : status === "DELIVERED" ? "delivered" : "live"}
      aria-labelledby="headline"
    >
      <span className={styles.icon}>
        <Icon name={STEP_ICONS[status]} size={30} />
      </span>
      <div className={styles.text}>
        <h1 id="headline" className={styles.title} tabIndex={-1}>
          {isCancelling && !isTerminal(status) ? "Cancelling your order" : headlineOf(status, restaurant)}
        </h1>
        {isEnded ? (
          <>
            {progress.reason ? <p className={styles.reason}>{sentence(progress.reason)}</p> : null}
            <p>{moneyBack(progress, total)}</p>
          </>
        ) : outOfTouchSince === null || isTerminal(status) ? (
          <Arrival progress={progress} beginsAt={beginsAt} />
        ) : (
          <p>
            This is what we knew at {formatClockSeconds(outOfTouchSince)}
            {progress.eta === null ? "" : `, when your food was expected about ${formatClock(progress.eta)}`}.
            Your order continues meanwhile.
          </p>
        )}
        {delay ? (
          <p className={styles.delay}>
            <Icon name="clock" size={20} />
            <span>
              <strong>Delayed.</strong> {delay}
            </span>
          </p>
        ) : null}
      </div>
      {isEnded ? null : (
        <div
          className={styles.bar}
          role="progressbar"
          aria-label="Progress of the order"
          aria-valuemin={0}
          aria-valuemax={STEPS.length}
          aria-valuenow={Math.round(shareDone(status) * STEPS.length)}
        >
          {STEPS.map((step, n) => (
            <span
              key={step}
              className={styles.segment}
              data-done={n < Math.round(shareDone(status) * STEPS.length) || undefined}
            />
          ))}
        </div>
      )}
    </section>
  );
}

function Arrival({ progress, beginsAt }: { progress: Progress; beginsAt: number | null }) {
  const { status, eta } = progress;
  const now = useNow(!isTerminal(status));
  if (status === "DELIVERED") {
    const at = progress.history.find((entry) => entry.status === "DELIVERED")?.at;
    const since = progress.history[0]?.at;
    if (at === undefined) return null;
    return (
      <p>
        Handed over at {formatClock(at)}
        {since !== undefined && since < at ? `, ${formatDuration(at - since)} after you ordered` : ""}.
      </p>
    );
  }
  if (eta !== null) {
    return (
      <p className={styles.arrival} role="timer" aria-live="off">
        {eta - now > 1000 ? (
          <>
            <span className={styles.lead}>Arriving in</span>{" "}
            <strong className="tabular">{formatDuration(eta - now)}</strong>{" "}
            <span className={styles.lead}>about {formatClock(eta)}</span>
          </>
        ) : (
          <strong>Any moment now</strong>
        )}
      </p>
    );
  }
  if (status === "SCHEDULED" && beginsAt !== null && beginsAt - now > 1000) {
    return (
      <p className={styles.arrival} role="timer" aria-live="off">
        <span className={styles.lead}>The kitchen begins in</span>{" "}
        <strong className="tabular">{formatDuration(beginsAt - now)}</strong>
      </p>
    );
  }
  return <p>We will know when it arrives once a driver is on the way.</p>;
}
