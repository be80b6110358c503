import { useEffect } from "react";
import { DishArt } from "@/components/dish-art/dish-art";
import { Notice } from "@/components/ui/notice";
import { type Cents, formatCents } from "@/lib/money";
import { orderPath } from "@/lib/order-link";
import { usePageTitle } from "@/lib/use-page-title";
import type { LonLat } from "@/types/geo";
import { isTerminal, type OrderStatus, STATUS_LABELS } from "@/types/order";
import { useCancelOrder } from "../api/cancel-order";
import type { Progress } from "../progress";
import { useDelay } from "../use-delay";
import { headlineOf, moneyBack, sentence } from "../wording";
import { CancelButton } from "./cancel-button";
import { Headline } from "./headline";
import { LiveMap } from "./live-map";
import styles from "./order-view.module.css";
import { ShareButton } from "./share-button";
import { Timeline } from "./timeline";

/** What was ordered, as far as known. */
export interface OrderedFood {
  restaurantId: string;
  restaurantName: string;
  products: ReadonlyArray<{ productId: string; description: string; quantity: number }>;
  total: Cents;
  restaurantLocation: LonLat | null;
  customerLocation: LonLat | null;
  deliveryDelay: number | null;
}

interface OrderViewProps {
  /** The key for cancelling the order and for sharing its page. */
  orderKey: string | null;
  progress: Progress;
  food: OrderedFood | null;
  /** Whether each change is shown as it happens. */
  isLive: boolean;
  /** Since when nothing has been heard of the order, in the server's ms; `null` if `progress` is up to date. */
  outOfTouchSince: number | null;
  onStatus: (status: OrderStatus) => void;
}

/** An order, while it is in progress and afterwards. */
export function OrderView(props: OrderViewProps) {
  const { orderKey, progress, food, isLive, outOfTouchSince, onStatus } = props;
  const { orderId, status } = progress;
  const cancellation = useCancelOrder(orderId, orderKey);
  const restaurant = food?.restaurantName ?? "The kitchen";
  const isOver = isTerminal(status);
  usePageTitle(`${STATUS_LABELS[status]} · Your order`);
  // biome-ignore lint/correctness/useExhaustiveDependencies: called once for each status
  useEffect(() => {
    onStatus(status);
  }, [status]);

  const scheduledAt = progress.history.find((entry) => entry.status === "SCHEDULED")?.at;
  const wait = food?.deliveryDelay ?? null;
  const beginsAt = scheduledAt !== undefined && wait !== null ? scheduledAt + wait : null;
  const delay = useDelay(progress, beginsAt, outOfTouchSince !== null);
  const addition =
    status === "REJECTED" || status === "CANCELLED"
      ? ` ${sentence(progress.reason ?? "")} ${moneyBack(progress, food?.total ?? null)}`
      : delay
        ? ` ${delay}`
        : "";

  return (
    <div className={styles.page}>
      <p className="visually-hidden" role="status">
        {outOfTouchSince === null ? "" : "Last known status: "}
        {headlineOf(status, restaurant)}.{addition}
      </p>
      <div className={styles.main}>
        <Headline
          progress={progress}
          restaurant={restaurant}
          total={food?.total ?? null}
          beginsAt={beginsAt}
          delay={delay}
          outOfTouchSince={outOfTouchSince}
          isCancelling={cancellation.isPending || cancellation.isSuccess}
        />
        {food?.restaurantLocation || food?.customerLocation ? (
          <LiveMap
            status={status}
            restaurant={food.restaurantLocation}
            customer={food.customerLocation}
            driver={progress.driver}
            isOutOfTouch={outOfTouchSince !== null}
          />
        ) : null}
      </div>
      <div className={styles.side}>
        <section className={styles.card} aria-labelledby="timeline-title">
          <div className={styles.cardHead}>
            <h2 id="timeline-title" className={styles.cardTitle}>
              Timeline
            </h2>
            {isOver ? null : (
              <span className={styles.live} data-live={isLive || undefined}>
                {isLive ? "Live" : "Reconnecting"}
              </span>
            )}
          </div>
          <Timeline progress={progress} />
        </section>
        <section className={styles.card} aria-labelledby="food-title">
          <h2 id="food-title" className={styles.cardTitle}>
            {food ? food.restaurantName : "Your food"}
          </h2>
          {food ? (
            <>
              <ul className={styles.products}>
                {food.products.map((product) => (
                  <li key={product.productId} className={styles.product}>
                    <DishArt
                      productId={product.productId}
                      restaurantId={food.restaurantId}
                      className={styles.art ?? ""}
                    />
                    <span>
                      <span className="tabular">{product.quantity} ×</span> {product.description}
                    </span>
                  </li>
                ))}
              </ul>
              <p className={styles.total}>
                <span>Total</span>
                <span className="tabular">{formatCents(food.total)}</span>
              </p>
            </>
          ) : (
            <Notice icon="receipt">
              <p>Its details are no longer stored.</p>
            </Notice>
          )}
          <p className={styles.id}>
            Order <code>{orderId}</code>
          </p>
          <div className={styles.actions}>
            <ShareButton path={orderPath(orderId, orderKey)} />
            <CancelButton status={status} cancellation={cancellation} />
          </div>
        </section>
      </div>
    </div>
  );
}
