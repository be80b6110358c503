import { useLocation } from "wouter";
import { useRestaurants } from "@/api/get-restaurants";
import { add, type Cart, EMPTY_CART, setQuantity } from "@/features/cart/cart";
import { replaceCart } from "@/features/cart/use-cart";
import { PastOrders } from "@/features/past-orders/components/past-orders";
import { usePageTitle } from "@/lib/use-page-title";
import { PageTitle } from "../components/page-title";

export function Orders() {
  usePageTitle("My orders");
  const [, navigate] = useLocation();
  const restaurants = useRestaurants();
  return (
    <>
      <PageTitle>My orders</PageTitle>
      <PastOrders
        onOrderAgain={(order) => {
          const restaurant = restaurants.data?.find((it) => it.restaurantId === order.restaurantId);
          if (restaurant === undefined) return;
          const cart = order.products.reduce<Cart>((current, product) => {
            const dish = restaurant.menu.find((it) => it.productId === product.productId);
            return dish
              ? setQuantity(add(current, restaurant, dish), dish.productId, product.quantity)
              : current;
          }, EMPTY_CART);
          replaceCart(cart);
          navigate("/checkout");
        }}
      />
    </>
  );
}
