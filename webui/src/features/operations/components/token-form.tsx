import { useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { setToken, useToken } from "../token-store";
import { Panel } from "./panel";
import styles from "./token-form.module.css";

/** Asks for the operators' token, which is needed from any other machine. */
export function TokenForm() {
  const id = useId();
  const token = useToken();
  const [value, setValue] = useState("");
  return (
    <div className={styles.page}>
      <Panel title="For operators">
        <p>
          From another machine this page needs the token that the gateway was started with. The token is kept
          until you close this tab.
        </p>
        {token !== null ? (
          <Notice tone="bad" isAlert>
            <p>That token is wrong.</p>
          </Notice>
        ) : null}
        <form
          className={styles.form}
          onSubmit={(event) => {
            event.preventDefault();
            if (value !== "") setToken(value);
          }}
        >
          <label htmlFor={id} className={styles.label}>
            Token
          </label>
          <input
            id={id}
            type="password"
            autoComplete="current-password"
            required
            className={styles.input}
            value={value}
            onChange={(event) => setValue(event.target.value)}
          />
          <Button type="submit" look="primary" icon="key">
            Open operations
          </Button>
        </form>
      </Panel>
    </div>
  );
}
