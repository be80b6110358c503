import { formatMs } from "@/lib/format";
import { STATUS_LABELS, toOrderStatus } from "@/types/order";
import type { StageTimes as Times } from "../api/operations-events";
import styles from "./stage-times.module.css";

/** How long orders stay in each stage. */
export function StageTimes({ stages }: { stages: readonly Times[] }) {
  if (stages.length === 0) return <p className={styles.nothing}>Nothing measured yet.</p>;
  const longest = Math.max(1, ...stages.map((stage) => stage.p95Ms));
  return (
    <table className={styles.table}>
      <thead>
        <tr>
          <th scope="col">Stage</th>
          <th scope="col" className={styles.barHead}>
            <span className="visually-hidden">Bar</span>
          </th>
          <th scope="col" className={styles.number}>
            Half under
          </th>
          <th scope="col" className={styles.number}>
            95 % under
          </th>
        </tr>
      </thead>
      <tbody>
        {stages.map(({ stage, p50Ms, p95Ms }) => (
          <tr key={stage}>
            <th scope="row">{nameOf(stage)}</th>
            <td className={styles.bar}>
              <span className={styles.track} aria-hidden="true">
                <span className={styles.p95} style={{ width: `${(p95Ms / longest) * 100}%` }} />
                <span className={styles.p50} style={{ width: `${(p50Ms / longest) * 100}%` }} />
              </span>
            </td>
            <td className={`${styles.number} tabular`}>{formatMs(p50Ms)}</td>
            <td className={`${styles.number} tabular`}>{formatMs(p95Ms)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function nameOf(stage: string): string {
  const status = toOrderStatus(stage);
  return status === "UNKNOWN" ? stage : STATUS_LABELS[status];
}
