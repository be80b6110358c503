/** Where Restate's own UI shows the workflow of an order; `null` where nobody should look. */
export const workflowUrl = (restateUi: string | null | undefined, orderId: string): string | null =>
  restateUi
    ? `${restateUi.replace(/\/+$/, "")}/ui/workflows/OrderWorkflow/${encodeURIComponent(orderId)}`
    : null;

/** The start page of Restate's UI. */
export const restateUrl = (restateUi: string): string => `${restateUi.replace(/\/+$/, "")}/ui/`;
