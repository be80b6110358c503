import { QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { Route, Switch, useLocation } from "wouter";
import { orderIdIn } from "@/lib/order-link";
import { createQueryClient } from "@/lib/query-client";
import { Crash } from "./components/crash";
import { EmptyPage } from "./components/empty-page";
import { Layout } from "./components/layout";
import { Checkout } from "./routes/checkout";
import { Home } from "./routes/home";
import { LazyOperations } from "./routes/lazy-operations";
import { OrderPage } from "./routes/order";
import { Orders } from "./routes/orders";

export function App() {
  const [queryClient] = useState(createQueryClient);
  const [location] = useLocation();
  return (
    <QueryClientProvider client={queryClient}>
      <Layout>
        <Crash key={location}>
          <Switch>
            <Route path="/" component={Home} />
            <Route path="/checkout" component={Checkout} />
            <Route path="/orders" component={Orders} />
            <Route path="/orders/:orderId">
              {({ orderId }) => <OrderPage key={orderId} orderId={orderIdIn(orderId)} />}
            </Route>
            <Route path="/operations" component={LazyOperations} />
            <Route>
              <EmptyPage
                title="There is nothing here"
                text="This page does not exist. The menu does."
                isProblem
              />
            </Route>
          </Switch>
        </Crash>
      </Layout>
    </QueryClientProvider>
  );
}
