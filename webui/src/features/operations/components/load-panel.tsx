import { Notice } from "@/components/ui/notice";
import { useLoad, useSetLoad } from "../api/load";
import styles from "./load-panel.module.css";
import { Panel } from "./panel";
import { Slider } from "./slider";

/** What the system on a small machine can well be asked for. */
const MOST_PER_SECOND = 30;

/** Puts load on: orders made up and placed. */
export function LoadPanel() {
  const load = useLoad();
  const setLoad = useSetLoad();
  const error = setLoad.error ?? load.error;
  return (
    <Panel title="Put load on">
      <Slider
        label="Orders made up"
        value={load.data?.ordersPerSecond ?? 0}
        max={MOST_PER_SECOND}
        step={1}
        format={(n) => (n === 0 ? "none" : `${n} a second`)}
        onCommit={(n) => setLoad.mutate(n)}
      />
      <p className={styles.hint}>The gateway places them like any other order, for ten minutes at most.</p>
      {error ? (
        <Notice tone="bad" title="The load cannot be set" isAlert>
          <p>{error.message}</p>
        </Notice>
      ) : null}
    </Panel>
  );
}
