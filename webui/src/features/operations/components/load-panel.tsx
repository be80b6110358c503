import { Notice } from "@/components/ui/notice";
import { useLoad, useSetLoad } from "../api/load";
import styles from "./load-panel.module.css";
import { Panel } from "./panel";
import { Slider } from "./slider";

/** A load that a small machine can handle. */
const MOST_PER_SECOND = 30;

/** Generates load: places demo orders. */
export function LoadPanel() {
  const load = useLoad();
  const setLoad = useSetLoad();
  const error = setLoad.error ?? load.error;
  return (
    <Panel title="Generate load">
      <Slider
        label="Demo orders"
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
