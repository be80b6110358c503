import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Notice } from "@/components/ui/notice";
import { ApiError } from "@/lib/http/problem";
import { isCancellable, type OrderStatus } from "@/types/order";
import type { useCancelOrder } from "../api/cancel-order";
import { sentence } from "../wording";

interface CancelButtonProps {
  status: OrderStatus;
  cancellation: ReturnType<typeof useCancelOrder>;
}

/** Cancels the order while that is possible; says why if it no longer is. */
export function CancelButton({ status, cancellation }: CancelButtonProps) {
  const [isAsking, setIsAsking] = useState(false);
  const { error } = cancellation;
  const canCancel = isCancellable(status);
  return (
    <>
      {canCancel && !cancellation.isSuccess ? (
        <Button look="danger" isBusy={cancellation.isPending} onClick={() => setIsAsking(true)}>
          Cancel order
        </Button>
      ) : null}
      <div aria-live="polite">
        {error && (canCancel || status === "IN_DELIVERY") ? (
          <Notice
            tone="warning"
            title={error instanceof ApiError ? error.problem.title : "We could not cancel the order"}
          >
            <p>{sentence(error.message)}</p>
          </Notice>
        ) : null}
      </div>
      {isAsking && canCancel ? (
        <Dialog
          title="Cancel this order?"
          onClose={() => setIsAsking(false)}
          actions={
            <>
              <Button onClick={() => setIsAsking(false)}>Keep it</Button>
              <Button
                look="primary"
                onClick={() => {
                  setIsAsking(false);
                  cancellation.mutate();
                }}
              >
                Yes, cancel
              </Button>
            </>
          }
        >
          <p>The kitchen stops, and what you paid goes back to your card.</p>
        </Dialog>
      ) : null}
    </>
  );
}
