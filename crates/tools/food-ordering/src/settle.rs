//! `settle`: finds orders whose workflow was killed, and settles them.
//!
//! A workflow that is killed (`restate invocations kill`) leaves behind what it had begun: a charge, an order at the restaurant, a
//! driver. `OrderStatusService` records for each order whether anything is left to undo (`unsettled` in its state), so an
//! unsettled order without a workflow needs to be settled. `OrderWorkflow/settle` does that, durably and repeatably.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, bail};
use domain::{OrderId, Status};
use futures::StreamExt;
use order_workflow::{OrderWorkflowIngressClient, Settled, Settlement};
use serde::Deserialize;
use tokio::time::sleep;

use crate::http;
use crate::restate::admin::Admin;

/// How many orders are settled at a time.
const AT_ONCE: usize = 16;
/// How many orders are listed; the rest are counted.
const NAMED: usize = 20;
/// How long to wait for the settlement of one order. After that, Restate continues it in the background.
const TIMEOUT: Duration = Duration::from_secs(30);
/// The pause between two searches. A message on its way from one service to another is visible at neither, but has arrived a moment
/// later.
const RECHECK_AFTER: Duration = Duration::from_secs(1);

/// Arguments of `settle`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    #[command(flatten)]
    restate_admin: upstream::RestateAdmin,
    #[command(flatten)]
    restate_ingress: upstream::RestateIngress,
    /// List the orders to be settled without settling them
    #[arg(long, env = "FOOD_ORDERING_DRY_RUN")]
    dry_run: bool,
    /// Settle only these orders
    #[arg(value_name = "ORDER")]
    orders: Vec<OrderId>,
}

/// An order without a workflow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub(crate) struct Abandoned {
    /// The order.
    pub(crate) id: String,
    /// Its status; `None` if the order was never created.
    #[serde(default)]
    pub(crate) status: Option<Status>,
}

/// `settle`: fails if an order could not be settled.
pub async fn main(args: Args) -> anyhow::Result<()> {
    let admin = Admin::new(&args.restate_admin.urls)?;
    let mut abandoned = abandoned(&admin).await?;
    if !args.orders.is_empty() {
        let wanted: BTreeSet<&str> = args.orders.iter().map(OrderId::as_str).collect();
        abandoned.retain(|order| wanted.contains(order.id.as_str()));
        let found: BTreeSet<&str> = abandoned.iter().map(|order| order.id.as_str()).collect();
        for id in wanted.difference(&found) {
            say!(
                "{id}: nothing to settle: the order is settled, unknown, or under way; to cancel an order under way, use \
                 `restate invocations cancel OrderWorkflow/{id}/run`"
            );
        }
    }
    if abandoned.is_empty() {
        say!("There is no order to settle.");
        return Ok(());
    }
    if args.dry_run {
        for order in abandoned.iter().take(NAMED) {
            say!("{}: {}", order.id, order.described());
        }
        let number = abandoned.len();
        if number > NAMED {
            say!("and {} more", number - NAMED);
        }
        say!("{number} orders are to be settled.");
        return Ok(());
    }
    settle(&args.restate_ingress.urls, abandoned).await
}

async fn settle(ingress: &str, abandoned: Vec<Abandoned>) -> anyhow::Result<()> {
    let restate = http::ingress(ingress, TIMEOUT)?;
    let mut settling = futures::stream::iter(abandoned)
        .map(|order| {
            let workflow =
                OrderWorkflowIngressClient::from_client(restate.clone(), order.id.as_str());
            async move {
                let settled: anyhow::Result<Settlement> =
                    http::answered(workflow.settle().call().await);
                (order, settled)
            }
        })
        .buffer_unordered(AT_ONCE);
    let mut outcomes = BTreeMap::<&'static str, usize>::new();
    let (mut listed, mut failed) = (0, 0);
    while let Some((order, settled)) = settling.next().await {
        let (said, outcome) = match settled {
            Ok(settlement) => {
                let outcome = outcome(settlement.settled);
                (format!("{}, {outcome}", settlement.status), outcome)
            }
            Err(error) => {
                failed += 1;
                let said = format!("not settled yet, Restate continues: {error:#}");
                (said, "not settled yet")
            }
        };
        *outcomes.entry(outcome).or_default() += 1;
        if listed < NAMED {
            say!("{}: {} → {said}", order.id, order.described());
            listed += 1;
        }
    }
    let outcomes: Vec<String> = (outcomes.iter())
        .map(|(outcome, number)| format!("{number} {outcome}"))
        .collect();
    say!("{}", outcomes.join("; "));
    match failed {
        0 => Ok(()),
        failed => bail!("{failed} orders are not settled yet; run this again later"),
    }
}

fn outcome(settled: Settled) -> &'static str {
    match settled {
        Settled::Before => "settled before",
        Settled::NeverBegun => "never begun: nothing was charged",
        Settled::Undone => "undone: driver released, kitchen stopped, money refunded",
        Settled::Delivered => "delivered: the payment is kept",
        Settled::OnItsWay => "on its way: the driver who has the food delivers it",
        Settled::PriceUnknown => "not settled: its price is no longer known, refund it by hand",
    }
}

impl Abandoned {
    /// Its status, or `never begun`.
    pub(crate) fn described(&self) -> &'static str {
        self.status.map_or("never begun", Status::name)
    }
}

/// The orders that have to be settled: those found by two searches in a row.
pub(crate) async fn abandoned(admin: &Admin) -> anyhow::Result<Vec<Abandoned>> {
    let first = search(admin).await?;
    if first.is_empty() {
        return Ok(Vec::new());
    }
    sleep(RECHECK_AFTER).await;
    let second = search(admin).await?;
    Ok(first
        .into_iter()
        .filter_map(|order| second.iter().find(|it| it.id == order.id).cloned())
        .collect())
}

async fn search(admin: &Admin) -> anyhow::Result<Vec<Abandoned>> {
    #[derive(Deserialize)]
    struct Row {
        id: String,
        #[serde(default)]
        record: Option<String>,
    }
    #[derive(Deserialize)]
    struct StoredStatus {
        status: Status,
    }
    let mut found = Vec::new();
    for query in [UNSETTLED, NEVER_BEGUN] {
        let rows: Vec<Row> = admin.query(query).await?;
        for Row { id, record } in rows {
            let record = record
                .map(|record| serde_json::from_str::<StoredStatus>(&record))
                .transpose()
                .with_context(|| format!("the status of order {id}"))?;
            found.push(Abandoned {
                id,
                status: record.map(|record| record.status),
            });
        }
    }
    found.sort();
    found.dedup_by(|a, b| a.id == b.id);
    Ok(found)
}

/// Orders that are unsettled or have not ended, and for which nothing is under way: no workflow, no settlement, no change of
/// status, no message about the delivery. `expire` does not count: it is scheduled for every ended order.
const UNSETTLED: &str = "select orders.service_key as id, orders.value_utf8 as record from state as orders \
    left join (select distinct target_service_key as key from sys_invocation where status <> 'completed' \
        and target_service_name in ('OrderWorkflow', 'OrderStatusService', 'DeliveryManager') \
        and target_handler_name <> 'expire') as busy on busy.key = orders.service_key \
    where orders.service_name = 'OrderStatusService' and orders.key = 'order-status' and busy.key is null \
    and (orders.value_utf8 like '%\"unsettled\":%' or not (orders.value_utf8 like '%\"status\":\"DELIVERED\"%' \
        or orders.value_utf8 like '%\"status\":\"CANCELLED\"%' or orders.value_utf8 like '%\"status\":\"REJECTED\"%'))";

/// Orders whose workflow was killed before the order was created. They can be found for as long as Restate keeps ended workflows.
const NEVER_BEGUN: &str = "select killed.target_service_key as id from sys_invocation as killed \
    left join (select distinct service_key as key from state \
        where service_name = 'OrderStatusService' and key = 'order-status') as known on known.key = killed.target_service_key \
    where killed.target_service_name = 'OrderWorkflow' and killed.target_handler_name = 'run' \
    and killed.status = 'completed' and killed.completion_failure like '%killed%' and known.key is null";
