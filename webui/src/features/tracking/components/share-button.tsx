import { useState } from "react";
import { Button } from "@/components/ui/button";

/** Shares the page: anyone with its address can follow the order. */
export function ShareButton({ path }: { path: string }) {
  const [message, setMessage] = useState("");
  async function share(): Promise<void> {
    const url = new URL(path, window.location.href).href;
    try {
      if (typeof navigator.share === "function" && window.matchMedia("(pointer: coarse)").matches) {
        await navigator.share({ title: document.title, url });
      } else {
        await navigator.clipboard.writeText(url);
        setMessage("Link copied");
      }
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "AbortError"))
        setMessage("Copy it from the address bar");
    }
  }
  return (
    <>
      <Button icon="link" onClick={() => void share()}>
        {message === "" ? "Share" : message}
      </Button>
      <span className="visually-hidden" role="status">
        {message}
      </span>
    </>
  );
}
