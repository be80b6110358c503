import { Button } from "./button";
import { Notice } from "./notice";

/** Stands for a part of the page that the gateway no longer has, because there is a newer version of the page. */
export function Outdated() {
  return (
    <Notice tone="warning" title="This page has been updated" isAlert>
      <p>Reload it to see this part. Your cart and your orders are safe.</p>
      <p>
        <Button onClick={() => window.location.reload()}>Reload the page</Button>
      </p>
    </Notice>
  );
}
