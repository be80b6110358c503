import { STATUS_LABELS } from "@/types/order";
import { type Overview, shownStatuses } from "../overview";
import styles from "./stages.module.css";

/** How many orders are in each stage. */
export function Stages({ byStatus }: { byStatus: Overview["byStatus"] }) {
  return (
    <dl className={styles.stages}>
      {shownStatuses(byStatus).map(({ status, count }) => (
        <div key={status} className={styles.stage} data-status={status} data-empty={count === 0 || undefined}>
          <dt className={styles.name}>{STATUS_LABELS[status]}</dt>
          <dd className={`${styles.count} tabular`}>{count.toLocaleString("en-US")}</dd>
        </div>
      ))}
    </dl>
  );
}
