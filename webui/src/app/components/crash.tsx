import { Component, type ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";

/** Keeps an error on one page from breaking the whole shop. */
export class Crash extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: Error) {
    return { error };
  }

  override render() {
    const { error } = this.state;
    if (error === null) return this.props.children;
    return (
      <Notice tone="bad" title="Something went wrong on this page" isAlert>
        <p>{error.message}</p>
        <p>Your cart and your orders are safe.</p>
        <p>
          <Button onClick={() => window.location.reload()}>Reload the page</Button>
        </p>
      </Notice>
    );
  }
}
