//! One order is one trace.

use std::collections::{BTreeMap, BTreeSet};

use end_to_end_tests::{Collector, Options, SOON, Span, System, eventually, order};
use serde_json::Value;

/// The trace id and span id that a browser would send.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const BROWSER: &str = "b7ad6b7169203331";

/// The span name under which the gateway pushes a status to browsers.
const PUSH: &str = "push order-status";

/// A system that sends its traces to `collector` every 100 ms.
async fn traced(collector: &Collector, options: Options) -> anyhow::Result<System> {
    System::start(
        options
            .with(&format!("--otlp-endpoint={}", collector.url()))
            .env("OTEL_BSP_SCHEDULE_DELAY", "100"),
    )
    .await
}

#[tokio::test]
async fn a_delivered_order_is_one_trace_from_the_browser_to_the_push() -> anyhow::Result<()> {
    let collector = Collector::start().await?;
    let system = traced(&collector, Options::default().drivers(1)).await?;
    let gateway = system.address("gateway")?;
    let browser = end_to_end_tests::http();
    let accepted: Value = browser
        .post(format!("{gateway}/api/orders"))
        .header("traceparent", format!("00-{TRACE}-{BROWSER}-01"))
        .json(&order("pizza-1"))
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    assert_eq!(accepted["orderId"], "pizza-1");
    // Reads until the gateway closes the stream, a moment after the order has ended.
    let stream = browser
        .get(format!("{gateway}/api/orders/pizza-1/events"))
        .send()
        .await?;
    let received = stream.text().await?;
    assert!(received.contains("DELIVERED"), "{received}");

    let found = eventually("the whole trace", SOON, async || {
        let found = Trace::of(collector.spans(), TRACE).tree(BROWSER);
        if found == DELIVERED {
            Ok(found)
        } else {
            Err(format!("\n{found}"))
        }
    })
    .await;
    assert_eq!(found, DELIVERED);

    let trace = Trace::of(collector.spans(), TRACE);
    trace.assert_unique_ids();
    assert_eq!(trace.statuses(), 7, "the order's changes");
    // The stream was opened after the first changes, so there is not a push for each.
    let pushes = trace.named(PUSH, "SPAN_KIND_INTERNAL");
    assert!(!pushes.is_empty());
    let processed = trace.named("process order-status", "SPAN_KIND_CONSUMER");
    for push in pushes {
        assert!(
            processed.iter().any(|span| span.id == push.parent),
            "{push:?}"
        );
    }
    let charge = trace.one("POST /payments", "SPAN_KIND_CLIENT");
    assert_eq!(charge.attributes["http.response.status_code"], "201");
    let workflow = trace.one("OrderWorkflow/run", "SPAN_KIND_SERVER");
    assert_eq!(workflow.attributes["rpc.system"], "restate");
    assert_eq!(workflow.attributes["order_id"], "pizza-1");
    let intake = trace.one("OrderIntake/receive", "SPAN_KIND_CONSUMER");
    // Restate's own spans are in separate traces, which are linked.
    eventually("Restate's own spans", SOON, async || {
        let restate: BTreeSet<String> = (collector.spans().into_iter())
            .filter(|span| span.service == "Restate")
            .map(|span| span.trace_id)
            .collect();
        let linked =
            [&workflow, &intake].map(|span| span.links.iter().any(|it| restate.contains(it)));
        if linked == [true, true] {
            Ok(())
        } else {
            Err(format!("{linked:?}"))
        }
    })
    .await;
    Ok(())
}

#[tokio::test]
async fn a_replay_creates_no_second_span_for_completed_steps() -> anyhow::Result<()> {
    let collector = Collector::start().await?;
    // Long enough for the workflow to be suspended, which takes a second, and for the services to be killed after that.
    let options = Options::default().drivers(1).with("--preparation-time=4s");
    let system = traced(&collector, options).await?;
    system.publish_orders(&[order("pizza-2")]).await?;
    eventually("the suspension", SOON, async || {
        let spans = collector.spans();
        let count = |name: &str| spans.iter().filter(|span| span.name == name).count();
        // Spans that have not been exported when the services are killed are lost.
        let found = ["OrderWorkflow/run", "POST /prepare", "send order-status"].map(count);
        if found[0] >= 1 && found[1] >= 2 && found[2] >= 3 {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await;
    system.kill_and_wait_for_return("order-services").await?;
    system.wait_for_status("pizza-2", "DELIVERED").await;

    // The order had no trace context, so the intake started a trace.
    let trace = eventually("the end of the trace", SOON, async || {
        let spans = collector.spans();
        let run = spans.iter().find(|span| span.name == "OrderWorkflow/run");
        let trace_id = run.ok_or("no workflow")?.trace_id.clone();
        let trace = Trace::of(spans, &trace_id);
        match trace.named("POST /payments", "SPAN_KIND_SERVER").len() {
            0 => Err("no payment".to_owned()),
            _ if trace.statuses() < 7 => Err(format!("\n{}", trace.tree(""))),
            _ => Ok(trace),
        }
    })
    .await;
    for (name, kind) in [
        ("OrderIntake/receive", "SPAN_KIND_CONSUMER"),
        ("OrderStatusService/create", "SPAN_KIND_SERVER"),
        ("POST /payments", "SPAN_KIND_CLIENT"),
        ("POST /prepare", "SPAN_KIND_CLIENT"),
        ("DeliveryManager/start", "SPAN_KIND_SERVER"),
    ] {
        assert_eq!(trace.named(name, kind).len(), 1, "{name}");
    }
    assert_eq!(trace.statuses(), 7);
    let resumed = trace.0.iter().filter(|span| is_resumed(span));
    assert!(resumed.count() > 0, "nothing was replayed");
    trace.assert_unique_ids();
    Ok(())
}

/// The spans of one trace.
struct Trace(Vec<Span>);

impl Trace {
    fn of(spans: Vec<Span>, trace_id: &str) -> Self {
        let belongs = |span: &Span| span.trace_id == trace_id;
        Self(spans.into_iter().filter(belongs).collect())
    }

    fn named(&self, name: &str, kind: &str) -> Vec<&Span> {
        let matches = |span: &&Span| span.name == name && span.kind == kind && !is_resumed(span);
        self.0.iter().filter(matches).collect()
    }

    fn one(&self, name: &str, kind: &str) -> Span {
        match self.named(name, kind)[..] {
            [span] => span.clone(),
            ref others => panic!("{name}: {others:?}"),
        }
    }

    /// How many changes of the order's status were published.
    fn statuses(&self) -> usize {
        self.named("send order-status", "SPAN_KIND_PRODUCER").len()
    }

    /// No two spans have the same id.
    fn assert_unique_ids(&self) {
        let mut ids = BTreeMap::new();
        for span in &self.0 {
            if let Some(other) = ids.insert(&span.id, span) {
                panic!("the same id twice: {other:?} and {span:?}");
            }
        }
    }

    /// The names of the spans below span `root` as an indented tree: siblings in alphabetical order, without duplicates.
    ///
    /// How often a workflow is suspended depends on the machine, so the spans of later attempts are attributed to the first.
    fn tree(&self, root: &str) -> String {
        let mut branches = Branches::default();
        self.add_below(root, &mut branches);
        let mut text = String::new();
        branches.write(&mut text, 0);
        text
    }

    fn add_below(&self, id: &str, branches: &mut Branches) {
        let below = self
            .0
            .iter()
            .filter(|span| span.parent == id && span.name != PUSH);
        for span in below {
            if is_resumed(span) {
                self.add_below(&span.id, branches);
            } else {
                let kind = span.kind.trim_start_matches("SPAN_KIND_").to_lowercase();
                let line = format!("{} [{kind}] {}", span.name, span.service);
                self.add_below(&span.id, branches.0.entry(line).or_default());
            }
        }
    }
}

fn is_resumed(span: &Span) -> bool {
    let is = |name: &str, value: &str| span.attributes.get(name).is_some_and(|it| it == value);
    is("restate.attempt.is_resumed", "true")
}

#[derive(Default)]
struct Branches(BTreeMap<String, Branches>);

impl Branches {
    fn write(&self, text: &mut String, depth: usize) {
        for (line, below) in &self.0 {
            text.push_str(&"  ".repeat(depth));
            text.push_str(line);
            text.push('\n');
            below.write(text, depth + 1);
        }
    }
}

const DELIVERED: &str = "\
POST /api/orders [server] gateway
  OrderIntake/receive [consumer] order-services
    OrderStatusService/claim [server] order-services
    OrderWorkflow/run [server] order-services
      DeliveryManager/start [server] order-services
        DeliveryManager/assignDriver [server] order-services
          DriverDigitalTwin/assignDeliveryJob [server] order-services
            DriverDigitalTwin/notifyDeliveryDelivered [server] order-services
              DeliveryManager/notifyDeliveryDelivered [server] order-services
                OrderStatusService/setStatus [server] order-services
                  send order-status [producer] order-services
                    process order-status [consumer] gateway
            DriverDigitalTwin/notifyDeliveryPickup [server] order-services
              DeliveryManager/notifyDeliveryPickup [server] order-services
                OrderStatusService/setStatus [server] order-services
                  send order-status [producer] order-services
                    process order-status [consumer] gateway
          OrderStatusService/setStatus [server] order-services
            send order-status [producer] order-services
              process order-status [consumer] gateway
        DriverDeliveryMatcher/requestDriverForDelivery [server] order-services
      OrderStatusService/create [server] order-services
        send order-status [producer] order-services
          process order-status [consumer] gateway
      OrderStatusService/setStatus [server] order-services
        send order-status [producer] order-services
          process order-status [consumer] gateway
      POST /payments [client] order-services
        POST /payments [server] payment-provider
      POST /prepare [client] order-services
        POST /prepare [server] restaurant-pos
          call back [internal] restaurant-pos
            POST callback [client] restaurant-pos
              POST /api/callbacks/restaurant/{orderId}/{callbackId} [server] gateway
                POST /restate/awakeables/{id}/resolve [client] gateway
  POST /restate/call/OrderStatusService/{key}/claim [client] gateway
    OrderStatusService/claim [server] order-services
    ingress OrderStatusService/{key}/claim [internal] Restate
      invocation-start OrderStatusService/{key}/claim [internal] Restate
        invocation-attempt OrderStatusService/{key}/claim [internal] Restate
        invocation-end OrderStatusService/{key}/claim [internal] Restate
  send orders [producer] gateway
    process orders [consumer] gateway
";
