import { type OrderStatus, STATUS_LABELS } from "@/types/order";
import styles from "./status-chip.module.css";

const TONES: Partial<Record<OrderStatus, string>> = {
  DELIVERED: "good",
  REJECTED: "bad",
  CANCELLED: "bad",
  NEW: "idle",
  UNKNOWN: "idle",
};

export function StatusChip({ status }: { status: OrderStatus }) {
  return (
    <span className={styles.chip} data-tone={TONES[status] ?? "live"}>
      {STATUS_LABELS[status]}
    </span>
  );
}
