/** The page of an order's workflow in Restate's UI; `null` if that is not configured. */
export const workflowUrl = (restateUi: string | null | undefined, orderId: string): string | null =>
  restateUi
    ? `${restateUi.replace(/\/+$/, "")}/ui/workflows/OrderWorkflow/${encodeURIComponent(orderId)}`
    : null;

/** The start page of Restate's UI. */
export const restateUrl = (restateUi: string): string => `${restateUi.replace(/\/+$/, "")}/ui/`;
