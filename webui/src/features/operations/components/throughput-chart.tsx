import type { Throughput } from "../api/operations-events";
import { SMOOTHED_OVER, smoothed } from "../overview";
import styles from "./throughput-chart.module.css";

const WIDTH = 400;
const HEIGHT = 130;

/** Orders delivered per second, over the last minutes. */
export function ThroughputChart({ throughput: measured }: { throughput: readonly Throughput[] }) {
  const throughput = smoothed(measured);
  const first = throughput[0];
  const last = throughput.at(-1);
  if (first === undefined || last === undefined)
    return <p className={styles.nothing}>Nothing measured yet.</p>;
  const highest = Math.max(...throughput.map((it) => it.perSecond));
  const top = niceTop(highest);
  const span = Math.max(1, last.at - first.at);
  const points = throughput.map(
    ({ at, perSecond }) =>
      `${(((at - first.at) / span) * WIDTH).toFixed(1)} ${(HEIGHT - (perSecond / top) * HEIGHT).toFixed(1)}`,
  );
  const minutes = Math.max(1, Math.round(span / 60_000));
  return (
    <figure className={styles.figure}>
      <figcaption className={styles.caption}>
        <span className={`${styles.now} tabular`}>{last.perSecond.toFixed(1)}</span> orders delivered a second
        now, {highest.toFixed(1)} at most in the last {minutes === 1 ? "minute" : `${minutes} minutes`} (each
        averaged over {SMOOTHED_OVER} seconds)
      </figcaption>
      <div className={styles.plot}>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          className={styles.chart}
          aria-hidden="true"
          focusable="false"
        >
          {[0, 0.5, 1].map((share) => (
            <path key={share} d={`M0 ${HEIGHT * share}H${WIDTH}`} className={styles.grid} />
          ))}
          <path d={`M0 ${HEIGHT}L${points.join("L")}L${WIDTH} ${HEIGHT}Z`} className={styles.area} />
          <path d={`M${points.join("L")}`} className={styles.line} />
        </svg>
        <span className={`${styles.scale} tabular`} aria-hidden="true">
          <span>{top}</span>
          <span>{top / 2}</span>
          <span>0</span>
        </span>
      </div>
    </figure>
  );
}

/** The next higher round number. */
function niceTop(highest: number): number {
  for (let tenths = 1; ; tenths *= 10) {
    for (const step of [1, 2, 5]) if (highest * 10 <= step * tenths) return (step * tenths) / 10;
  }
}
