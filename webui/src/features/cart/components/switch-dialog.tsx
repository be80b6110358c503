import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import type { Cart } from "../cart";
import type { PendingSwitch } from "../use-cart";

interface SwitchDialogProps {
  cart: Cart;
  pending: PendingSwitch;
  onConfirm: () => void;
  onDismiss: () => void;
}

/** Asks before dishes of one restaurant replace those of another: a driver collects from one kitchen only. */
export function SwitchDialog({ cart, pending, onConfirm, onDismiss }: SwitchDialogProps) {
  const from = cart.restaurant?.name ?? "another restaurant";
  return (
    <Dialog
      title={`Switch to ${pending.restaurant.name}?`}
      onClose={onDismiss}
      actions={
        <>
          <Button onClick={onDismiss}>Keep my order</Button>
          <Button look="primary" onClick={onConfirm}>
            Empty and switch
          </Button>
        </>
      }
    >
      <p>
        One order comes from one kitchen. Adding {pending.dish.name} removes what you picked at {from}.
      </p>
    </Dialog>
  );
}
