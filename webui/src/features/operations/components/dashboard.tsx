import { useState } from "react";
import { useConfig } from "@/api/get-config";
import { Icon } from "@/components/ui/icon";
import { Notice } from "@/components/ui/notice";
import { formatDuration } from "@/lib/format";
import { useEventStream } from "@/lib/use-event-stream";
import { OPERATIONS_EVENTS_URL, readOperationsEvent } from "../api/operations-events";
import { advanceOverview, type Overview, underWay } from "../overview";
import { restateUrl } from "../restate-links";
import { useToken } from "../token-store";
import styles from "./dashboard.module.css";
import { DeadLetters } from "./dead-letters";
import { DriversMap } from "./drivers-map";
import { FaultPanel } from "./fault-panel";
import { LoadPanel } from "./load-panel";
import { OrderTable } from "./order-table";
import { Panel } from "./panel";
import { StageTimes } from "./stage-times";
import { Stages } from "./stages";
import { ThroughputChart } from "./throughput-chart";
import { TokenForm } from "./token-form";

/** Everything that happens behind the counter, live. */
export function Dashboard() {
  const token = useToken();
  const [overview, setOverview] = useState<Overview | null>(null);
  const stream = useEventStream(OPERATIONS_EVENTS_URL, {
    token,
    onEvent: (received) => {
      const event = readOperationsEvent(received);
      if (event) setOverview((current) => advanceOverview(current, event));
    },
  });
  const restateUi = useConfig().data?.restateUi ?? null;

  if (stream.phase === "refused" && stream.problem.status === 401) return <TokenForm key={token} />;
  if (stream.phase === "refused") {
    return (
      <Notice tone="bad" title={stream.problem.title} icon="key" isAlert>
        <p>{stream.problem.detail}</p>
      </Notice>
    );
  }
  if (overview === null) return <p role="status">Loading operations …</p>;

  const { now, byStatus, deliveries, stuck, deadLetters, stages, throughput } = overview;
  return (
    <div className={styles.dashboard}>
      <p className={styles.live} data-live={stream.phase === "live" || undefined}>
        <span>{stream.phase === "live" ? "Live" : "Reconnecting"}</span>
        {restateUi ? (
          <a href={restateUrl(restateUi)} target="_blank" rel="noreferrer" className={styles.restate}>
            Restate UI
            <Icon name="external" size={16} />
            <span className="visually-hidden">(new tab)</span>
          </a>
        ) : null}
      </p>
      <Panel title="Orders by stage" className={styles.wide ?? ""}>
        <Stages byStatus={byStatus} />
      </Panel>
      <Panel title="Drivers and deliveries" className={styles.map ?? ""}>
        <DriversMap overview={overview} />
      </Panel>
      <div className={styles.charts}>
        <Panel title="Throughput">
          <ThroughputChart throughput={throughput} />
        </Panel>
        <Panel title="Time in each stage">
          <StageTimes stages={stages} />
        </Panel>
      </div>
      <div className={styles.lists}>
        <Panel title="Stuck orders">
          <OrderTable
            rows={stuck.map(({ orderId, status, since }) => ({
              orderId,
              status,
              detail: formatDuration(now - since),
            }))}
            detailTitle="For"
            nothing="No order is stuck."
            restateUi={restateUi}
          />
        </Panel>
        <Panel title="Deliveries under way">
          <OrderTable
            rows={underWay(deliveries).map(({ orderId, status, driverId }) => ({
              orderId,
              status,
              detail: driverId ?? "",
            }))}
            detailTitle="Driver"
            nothing="Nobody is on the road."
            restateUi={restateUi}
          />
        </Panel>
        <Panel title="Refused events" className={styles.wide ?? ""}>
          <DeadLetters letters={deadLetters} />
        </Panel>
      </div>
      <div className={styles.controls}>
        <LoadPanel />
        <FaultPanel stub="restaurant" />
        <FaultPanel stub="payment" />
      </div>
    </div>
  );
}
