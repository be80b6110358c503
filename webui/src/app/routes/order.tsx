import { useRestaurants } from "@/api/get-restaurants";
import { Notice } from "@/components/ui/notice";
import { noteStatus, type PastOrder, pastOrdersStore } from "@/features/past-orders/past-orders-store";
import type { OrderDetails } from "@/features/tracking/api/get-order";
import { type OrderedFood, OrderView } from "@/features/tracking/components/order-view";
import { useProgress } from "@/features/tracking/use-progress";
import { isNotFound } from "@/lib/http/problem";
import { useKeyInAddress } from "@/lib/order-link";
import { useStore } from "@/lib/persisted-store";
import { serverClock } from "@/lib/server-clock";
import { EmptyPage } from "../components/empty-page";
import { Waiting } from "../components/waiting";

/** How long an order may be unknown after it was placed. */
const APPEARS_WITHIN_MS = 120_000;

export function OrderPage({ orderId }: { orderId: string }) {
  const mine = useStore(pastOrdersStore).find((order) => order.orderId === orderId);
  const isExpected = mine !== undefined && serverClock.now() - mine.placedAt < APPEARS_WITHIN_MS;
  // A link contains its own key. Without one, it is an order of this device, or an operator is looking.
  const orderKey = useKeyInAddress() ?? mine?.key ?? null;
  const { order, progress, isLive, outOfTouchSince } = useProgress(orderId, orderKey, isExpected);
  const restaurants = useRestaurants();

  if (progress === null) {
    if (isNotFound(order.error)) {
      return (
        <EmptyPage
          title="We do not know this order"
          text={`There is no order ${orderId}, or the link to it is incomplete. Check the address, or look at your orders on this device.`}
          isProblem
        />
      );
    }
    if (order.error) {
      return (
        <Notice tone="bad" title="The order could not be loaded" isAlert>
          <p>{order.error.message}</p>
        </Notice>
      );
    }
    return <Waiting text={isExpected ? "Handing your order to the kitchen …" : "Looking for your order …"} />;
  }
  return (
    <OrderView
      key={orderId}
      orderKey={orderKey}
      progress={progress}
      food={foodOf(order.data?.order ?? null, mine, (id) =>
        restaurants.data?.find((it) => it.restaurantId === id),
      )}
      isLive={isLive}
      outOfTouchSince={outOfTouchSince}
      onStatus={(status) => pastOrdersStore.update((orders) => noteStatus(orders, orderId, status))}
    />
  );
}

/** What was ordered, from the gateway, or else as this device remembers it. */
function foodOf(
  details: OrderDetails | null,
  mine: PastOrder | undefined,
  restaurantOf: (id: string) => { name: string; location: OrderedFood["restaurantLocation"] } | undefined,
): OrderedFood | null {
  if (details) {
    const restaurant = restaurantOf(details.restaurantId);
    return {
      restaurantId: details.restaurantId,
      restaurantName: restaurant?.name ?? mine?.restaurantName ?? details.restaurantId,
      products: details.products,
      total: details.totalCost,
      restaurantLocation: details.restaurantLocation ?? restaurant?.location ?? null,
      customerLocation: details.customerLocation ?? null,
      deliveryDelay: details.deliveryDelay ?? null,
    };
  }
  if (mine === undefined) return null;
  return {
    ...mine,
    restaurantLocation: restaurantOf(mine.restaurantId)?.location ?? null,
    customerLocation: null,
    deliveryDelay: null,
  };
}
