import { useEffect } from "react";
import { Link } from "wouter";
import { TiffinArt } from "@/components/brand";
import { DishArt } from "@/components/dish-art/dish-art";
import { Button, buttonClass } from "@/components/ui/button";
import { StatusChip } from "@/components/ui/status-chip";
import { formatDayAndClock, plural } from "@/lib/format";
import { formatCents } from "@/lib/money";
import { orderPath } from "@/lib/order-link";
import { useStore } from "@/lib/persisted-store";
import { serverClock } from "@/lib/server-clock";
import { isTerminal } from "@/types/order";
import { useOrderStatuses } from "../api/get-order-status";
import { noteStatus, type PastOrder, pastOrdersStore } from "../past-orders-store";
import styles from "./past-orders.module.css";

const SHOWN_DISHES = 4;

/** The orders of this device, newest first. */
export function PastOrders({ onOrderAgain }: { onOrderAgain: (order: PastOrder) => void }) {
  const orders = useStore(pastOrdersStore);
  const open = orders.filter((order) => !isTerminal(order.status));
  const statuses = useOrderStatuses(open);
  const news = open.map(({ orderId }, n) => `${orderId} ${statuses[n]?.data?.status ?? ""}`).join();

  // biome-ignore lint/correctness/useExhaustiveDependencies: `news` changes with what is read here
  useEffect(() => {
    open.forEach(({ orderId }, n) => {
      const status = statuses[n]?.data?.status;
      if (status) pastOrdersStore.update((current) => noteStatus(current, orderId, status));
    });
  }, [news]);

  if (orders.length === 0) {
    return (
      <div className={styles.empty}>
        <TiffinArt className={styles.emptyArt ?? ""} />
        <p>No orders on this device yet.</p>
        <Link href="/" className={buttonClass("primary")}>
          See the menu
        </Link>
      </div>
    );
  }
  return (
    <ul className={styles.orders}>
      {orders.map((order) => (
        <li key={order.orderId} className={styles.order}>
          <div className={styles.dishes} aria-hidden="true">
            {order.products.slice(0, SHOWN_DISHES).map((product) => (
              <DishArt
                key={product.productId}
                productId={product.productId}
                restaurantId={order.restaurantId}
                className={styles.art ?? ""}
              />
            ))}
          </div>
          <div className={styles.text}>
            <h2 className={styles.name}>
              <Link href={orderPath(order.orderId, order.key)} className={styles.link}>
                {order.restaurantName}
              </Link>
            </h2>
            <p className={styles.detail}>
              {formatDayAndClock(order.placedAt, serverClock.now())} ·{" "}
              {plural(
                order.products.reduce((count, it) => count + it.quantity, 0),
                "dish",
                "dishes",
              )}{" "}
              · <span className="tabular">{formatCents(order.total)}</span>
            </p>
            <p className={styles.products}>
              {order.products.map((it) => `${it.quantity} × ${it.description}`).join(", ")}
            </p>
          </div>
          <div className={styles.foot}>
            {order.isConfirmed ? (
              <StatusChip status={order.status} />
            ) : (
              <span className={styles.unconfirmed}>Not confirmed</span>
            )}
            <Button
              look="quiet"
              icon="refresh"
              className={styles.again ?? ""}
              onClick={() => onOrderAgain(order)}
            >
              Order again<span className="visually-hidden"> from {order.restaurantName}</span>
            </Button>
          </div>
        </li>
      ))}
    </ul>
  );
}
