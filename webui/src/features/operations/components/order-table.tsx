import { StatusChip } from "@/components/ui/status-chip";
import type { OrderStatus } from "@/types/order";
import { OrderLinks } from "./order-links";
import styles from "./order-table.module.css";

interface OrderRow {
  orderId: string;
  status: OrderStatus;
  detail: string;
}

interface OrderTableProps {
  rows: readonly OrderRow[];
  /** The title of the last column. */
  detailTitle: string;
  /** The text if there are no orders. */
  nothing: string;
  restateUi: string | null;
}

const MAX_ROWS = 8;

/** Orders, one per row. */
export function OrderTable({ rows, detailTitle, nothing, restateUi }: OrderTableProps) {
  if (rows.length === 0) return <p className={styles.nothing}>{nothing}</p>;
  return (
    <>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">Order</th>
            <th scope="col">Status</th>
            <th scope="col">{detailTitle}</th>
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MAX_ROWS).map(({ orderId, status, detail }) => (
            <tr key={orderId}>
              <td>
                <OrderLinks orderId={orderId} restateUi={restateUi} />
              </td>
              <td>
                <StatusChip status={status} />
              </td>
              <td className="tabular">{detail}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MAX_ROWS ? <p className={styles.nothing}>and {rows.length - MAX_ROWS} more</p> : null}
    </>
  );
}
