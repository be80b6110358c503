import { useLocation } from "wouter";
import { useRestaurants } from "@/api/get-restaurants";
import { Notice } from "@/components/ui/notice";
import { countOf, subtotalOf } from "@/features/cart/cart";
import { CartLines } from "@/features/cart/components/cart-lines";
import { clearCart, useCart, useReconciledCart } from "@/features/cart/use-cart";
import type { Ticket } from "@/features/checkout/api/make-order-id";
import { CheckoutForm } from "@/features/checkout/components/checkout-form";
import { forget, pastOrdersStore, remember } from "@/features/past-orders/past-orders-store";
import { plural } from "@/lib/format";
import { toDollars } from "@/lib/money";
import { orderPath } from "@/lib/order-link";
import { serverClock } from "@/lib/server-clock";
import { usePageTitle } from "@/lib/use-page-title";
import { EmptyPage } from "../components/empty-page";
import { PageTitle } from "../components/page-title";

export function Checkout() {
  usePageTitle("Checkout");
  const [, navigate] = useLocation();
  const restaurants = useRestaurants();
  const cart = useCart();
  const changes = useReconciledCart(restaurants.data);

  if (cart.restaurant === null) {
    return (
      <EmptyPage
        title="Nothing to check out"
        text="Your lunch box is empty. Pick something from the menu first."
      />
    );
  }
  const { restaurantId, name } = cart.restaurant;
  const total = subtotalOf(cart);
  const products = cart.lines.map((line) => ({
    productId: line.productId,
    description: line.name,
    quantity: line.quantity,
  }));
  const note = (ticket: Ticket, isConfirmed: boolean) =>
    pastOrdersStore.update((orders) =>
      remember(orders, {
        ...ticket,
        placedAt: serverClock.now(),
        restaurantId,
        restaurantName: name,
        products,
        total,
        status: "NEW",
        isConfirmed,
      }),
    );

  return (
    <>
      <PageTitle>Checkout</PageTitle>
      {changes.map((change) => (
        <Notice key={change}>{change}</Notice>
      ))}
      <CheckoutForm
        order={{ restaurantId, products, totalCost: toDollars(total) }}
        total={total}
        count={plural(countOf(cart), "dish", "dishes")}
        restaurant={{
          name,
          location: restaurants.data?.find((it) => it.restaurantId === restaurantId)?.location,
        }}
        onUncertain={(ticket) => note(ticket, false)}
        onRefused={(orderId) => pastOrdersStore.update((orders) => forget(orders, orderId))}
        onPlaced={(ticket) => {
          note(ticket, true);
          navigate(orderPath(ticket.orderId, ticket.key), { replace: true });
          clearCart();
        }}
      >
        <CartLines cart={cart} />
      </CheckoutForm>
    </>
  );
}
