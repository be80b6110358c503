import { Icon } from "@/components/ui/icon";
import { formatClockSeconds } from "@/lib/format";
import { type Progress, timelineOf } from "../progress";
import { STEP_ICONS, STEP_TITLES } from "../wording";
import styles from "./timeline.module.css";

const STATES = { done: "done", current: "now", ahead: "to come", ended: "ended here" };

/** The steps of the order, with the times at which they were reached. */
export function Timeline({ progress }: { progress: Progress }) {
  return (
    <ol className={styles.timeline}>
      {timelineOf(progress).map(({ status, state, at }) => (
        <li
          key={status}
          className={styles.step}
          data-state={state}
          data-status={status}
          aria-current={state === "current" ? "step" : undefined}
        >
          <span className={styles.mark}>
            <Icon name={state === "done" ? "check" : STEP_ICONS[status]} size={18} />
          </span>
          <span className={styles.title}>
            {STEP_TITLES[status]}
            <span className="visually-hidden"> ({STATES[state]})</span>
          </span>
          {at === null ? null : (
            <time className={`${styles.time} tabular`} dateTime={new Date(at).toISOString()}>
              {formatClockSeconds(at)}
            </time>
          )}
        </li>
      ))}
    </ol>
  );
}
