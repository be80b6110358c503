import { Link } from "wouter";
import { Icon } from "@/components/ui/icon";
import { workflowUrl } from "../restate-links";
import styles from "./order-links.module.css";

/** The part of an order's id that distinguishes it from others. */
const short = (orderId: string): string =>
  orderId.length > 22 ? `${orderId.slice(0, 8)}…${orderId.slice(-8)}` : orderId;

/** An order's id, with links to its page and to its workflow in Restate. */
export function OrderLinks({ orderId, restateUi }: { orderId: string; restateUi: string | null }) {
  const restate = workflowUrl(restateUi, orderId);
  return (
    <span className={styles.links}>
      <Link href={`/orders/${encodeURIComponent(orderId)}`} className={styles.order} title={orderId}>
        {short(orderId)}
      </Link>
      {restate ? (
        <a
          href={restate}
          target="_blank"
          rel="noreferrer"
          className={styles.restate}
          aria-label={`Order ${orderId} in the Restate UI (new tab)`}
        >
          Restate
          <Icon name="external" size={16} />
        </a>
      ) : null}
    </span>
  );
}
