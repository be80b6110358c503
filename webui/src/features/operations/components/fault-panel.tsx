import { Button } from "@/components/ui/button";
import { Notice } from "@/components/ui/notice";
import { formatMs } from "@/lib/format";
import { type FaultPlan, type Stub, useFaults, useSetFaults } from "../api/faults";
import styles from "./fault-panel.module.css";
import { Panel } from "./panel";
import { Slider } from "./slider";

const TITLES: Record<Stub, string> = {
  restaurant: "Break the restaurant",
  payment: "Break the payment provider",
};

const LABELS: Record<string, string> = {
  errorRate: "Answers with an error",
  nonsenseRate: "Answers with nonsense",
  errorAfterChargeRate: "Charges, then answers with an error",
  rejectRate: "Refuses orders",
  declineRate: "Declines cards",
  wrongAmountRate: "Confirms another amount",
  silenceRate: "Cooks and never calls back",
  duplicateCallbackRate: "Calls back twice",
  latencyMs: "Waits before it answers",
};

const LONGEST_LATENCY_MS = 10_000;
const percent = (rate: number) => `${Math.round(rate * 100)} %`;

/** Makes a third party fail, and recover. */
export function FaultPanel({ stub }: { stub: Stub }) {
  const faults = useFaults(stub);
  const setFaults = useSetFaults(stub);
  const plan = faults.data ?? {};
  const isBroken = Object.values(plan).some((value) => value > 0);
  const error = setFaults.error ?? faults.error;
  return (
    <Panel
      title={TITLES[stub]}
      aside={
        <span className={styles.state} data-broken={isBroken || undefined}>
          {isBroken ? "Failing on purpose" : "Healthy"}
        </span>
      }
    >
      {inOrder(plan).map(([fault, value]) => {
        const isLatency = fault.endsWith("Ms");
        return (
          <Slider
            key={fault}
            label={LABELS[fault] ?? fault}
            value={value}
            max={isLatency ? LONGEST_LATENCY_MS : 1}
            step={isLatency ? 250 : 0.05}
            format={isLatency ? (ms) => (ms === 0 ? "no wait" : formatMs(ms)) : percent}
            onCommit={(next) => setFaults.mutate({ [fault]: next })}
          />
        );
      })}
      <div className={styles.actions}>
        <Button onClick={() => setFaults.mutate({ errorRate: 1 })} isBusy={setFaults.isPending}>
          Knock it out
        </Button>
        <Button onClick={() => setFaults.mutate(healthy(plan))} isBusy={setFaults.isPending}>
          Heal it
        </Button>
      </div>
      {error ? (
        <Notice tone="bad" title="The faults cannot be set" isAlert>
          <p>{error.message}</p>
        </Notice>
      ) : null}
    </Panel>
  );
}

/** The faults with a label above, then the others. */
function inOrder(plan: FaultPlan): Array<[string, number]> {
  const known = Object.keys(LABELS);
  const rank = (fault: string) => (known.includes(fault) ? known.indexOf(fault) : known.length);
  return Object.entries(plan).sort(([a], [b]) => rank(a) - rank(b));
}

const healthy = (plan: FaultPlan): FaultPlan =>
  Object.fromEntries(Object.keys(plan).map((fault) => [fault, 0]));
