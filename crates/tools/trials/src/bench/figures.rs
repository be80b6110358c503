//! Measures the resources used between two moments, and divides them by the number of orders.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kafka::Connection;
use rdkafka::consumer::BaseConsumer;
use serde::Serialize;

use crate::load::timeline::{self, Stage};
use crate::offsets;
use crate::usage::{Process, Role};
use food_ordering::http;
use food_ordering::restate::metrics;

/// The sources of the measurements.
pub(super) struct Meters {
    pub(super) processes: Vec<Process>,
    /// Connected before the measurement begins, so that connecting is not measured.
    pub(super) kafka: BaseConsumer,
    /// The topics whose records are counted.
    pub(super) topics: Vec<String>,
    /// The topic of driver positions.
    pub(super) updates_topic: String,
    /// The metrics URL of each node of the runtime; may be empty.
    pub(super) metrics_urls: Vec<String>,
    /// The metrics URL of each part with durable services of this system; empty for a peer.
    pub(super) services_urls: Vec<String>,
    /// The highest sampled memory of all services together so far, in KiB.
    pub(super) peak_together: Cell<u64>,
}

/// The interval at which the memory of all services is sampled.
const MEMORY_SAMPLE_INTERVAL: Duration = Duration::from_millis(500);

/// All meters at one moment.
#[derive(Debug)]
pub(super) struct Reading {
    at: Instant,
    cpu: Vec<Duration>,
    /// Bytes that the runtime's processes have written; `None` if that cannot be read, as for another user's process.
    written: Option<u64>,
    records: BTreeMap<String, i64>,
    /// How many times the runtime has called a handler, retries included.
    attempts: Option<f64>,
    handlers: BTreeMap<String, HandlerCosts>,
}

/// What a handler has cost, in total or per order.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HandlerCosts {
    attempts: f64,
    journal_entries: f64,
    received_bytes: f64,
    sent_bytes: f64,
}

impl HandlerCosts {
    /// The metrics of [`durable::Server`].
    fn read(text: &str, handlers: &mut BTreeMap<String, Self>) {
        let mut add = |metric, field: fn(&mut Self) -> &mut f64| {
            for (labels, value) in metrics::series(text, metric) {
                if let (Some(service), Some(handler)) =
                    (labels.get("service"), labels.get("handler"))
                {
                    let costs = handlers.entry(format!("{service}/{handler}"));
                    *field(costs.or_default()) += value;
                }
            }
        };
        add("restate_handler_attempts_total", |costs| {
            &mut costs.attempts
        });
        add("restate_handler_journal_entries_total", |costs| {
            &mut costs.journal_entries
        });
        add("restate_handler_received_bytes_total", |costs| {
            &mut costs.received_bytes
        });
        add("restate_handler_sent_bytes_total", |costs| {
            &mut costs.sent_bytes
        });
    }

    fn per_order(self, before: Self, orders: f64) -> Self {
        Self {
            attempts: (self.attempts - before.attempts) / orders,
            journal_entries: (self.journal_entries - before.journal_entries) / orders,
            received_bytes: (self.received_bytes - before.received_bytes) / orders,
            sent_bytes: (self.sent_bytes - before.sent_bytes) / orders,
        }
    }
}

impl Reading {
    /// Whether the runtime has called a handler since `before`; `false` if calls are not counted.
    pub(super) fn has_called_since(&self, before: &Self) -> bool {
        // Counters hold whole numbers.
        before
            .attempts
            .zip(self.attempts)
            .is_some_and(|(before, now)| now - before > 0.5)
    }
}

/// The figures of one run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Figures {
    pub(super) orders: u32,
    pub(super) seconds: f64,
    pub(super) orders_per_second: f64,
    pub(super) services_cpu_ms_per_order: f64,
    pub(super) runtime_cpu_ms_per_order: f64,
    pub(super) broker_cpu_ms_per_order: f64,
    /// What the runtime has written to disk during the run, including its store's own housekeeping.
    pub(super) runtime_disk_kb_per_order: Option<f64>,
    /// The sum of the services' peaks (RSS), without broker and runtime. Memory that processes share counts for each of them.
    pub(super) services_peak_mib: f64,
    /// The peak of the services' total memory (PSS). Memory that they share counts once.
    pub(super) services_peak_together_mib: f64,
    pub(super) invocation_attempts_per_order: Option<f64>,
    pub(super) location_updates_per_order: f64,
    /// By topic.
    pub(super) kafka_records_per_order: BTreeMap<String, f64>,
    pub(super) processes: Vec<ProcessFigures>,
    /// By service and handler, per order.
    pub(super) handlers: BTreeMap<String, HandlerCosts>,
    pub(super) stages: Vec<Stage>,
}

/// The figures of one process.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProcessFigures {
    pub(super) name: String,
    pub(super) cpu_ms_per_order: f64,
    pub(super) peak_mib: f64,
}

impl Meters {
    /// Reads all meters.
    pub(super) async fn read(&self) -> anyhow::Result<Reading> {
        let records = self.records()?;
        let mut attempts = None;
        for url in &self.metrics_urls {
            attempts = Some(attempts.unwrap_or(0.0) + attempts_in(&metrics_at(url).await?));
        }
        let mut handlers = BTreeMap::new();
        for url in &self.services_urls {
            HandlerCosts::read(&metrics_at(url).await?, &mut handlers);
        }
        Ok(Reading {
            at: Instant::now(),
            cpu: self
                .processes
                .iter()
                .map(Process::cpu)
                .collect::<Result<_, _>>()?,
            written: (self.processes.iter())
                .filter(|process| process.role() == Role::Runtime)
                .map(|process| process.written().ok())
                .sum(),
            records,
            attempts,
            handlers,
        })
    }

    /// Runs `work`, and samples the memory of the services while it runs.
    pub(super) async fn during<T>(
        &self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let look = async {
            loop {
                self.sample_memory()?;
                tokio::time::sleep(MEMORY_SAMPLE_INTERVAL).await;
            }
        };
        tokio::select! {
            done = work => done,
            failed = look => failed,
        }
    }

    /// How many cores the runtime kept busy between two readings.
    pub(super) fn runtime_load(&self, before: &Reading, after: &Reading) -> f64 {
        let busy: Duration = self
            .processes
            .iter()
            .zip(before.cpu.iter().zip(&after.cpu))
            .filter(|(process, _)| process.role() == Role::Runtime)
            .map(|(_, (before, after))| after.saturating_sub(*before))
            .sum();
        busy.as_secs_f64() / (after.at - before.at).as_secs_f64()
    }

    fn sample_memory(&self) -> anyhow::Result<()> {
        let mut together = 0;
        for process in &self.processes {
            if process.role() == Role::Service {
                together += process.proportional_kib()?;
            }
        }
        self.peak_together
            .set(self.peak_together.get().max(together));
        Ok(())
    }

    /// How many records have ever been published to each topic. Blocks.
    fn records(&self) -> anyhow::Result<BTreeMap<String, i64>> {
        self.topics
            .iter()
            .map(|topic| {
                let ends = offsets::ends(&self.kafka, topic)?;
                Ok((topic.clone(), ends.iter().map(|(_, end)| end).sum()))
            })
            .collect()
    }

    /// What `orders` orders have cost since `before`.
    pub(super) async fn since(&self, before: &Reading, orders: u32) -> anyhow::Result<Figures> {
        let after = self.read().await?;
        let seconds = (after.at - before.at).as_secs_f64();
        let orders_f = f64::from(orders.max(1));
        let mut processes = Vec::new();
        let mut cpu = [0.0; 3];
        let mut services_peak_mib = 0.0;
        for ((process, before), after) in self.processes.iter().zip(&before.cpu).zip(&after.cpu) {
            let cpu_ms_per_order = after.saturating_sub(*before).as_secs_f64() * 1e3 / orders_f;
            let peak_mib = mib(process.peak_kib()?);
            cpu[process.role() as usize] += cpu_ms_per_order;
            if process.role() == Role::Service {
                services_peak_mib += peak_mib;
            }
            processes.push(ProcessFigures {
                name: process.name.clone(),
                cpu_ms_per_order,
                peak_mib,
            });
        }
        let kafka_records_per_order: BTreeMap<String, f64> = after
            .records
            .iter()
            .map(|(topic, after)| {
                let before = before.records.get(topic).copied().unwrap_or_default();
                (topic.clone(), count(after - before) / orders_f)
            })
            .collect();
        Ok(Figures {
            orders,
            seconds,
            orders_per_second: f64::from(orders) / seconds,
            services_cpu_ms_per_order: cpu[Role::Service as usize],
            runtime_cpu_ms_per_order: cpu[Role::Runtime as usize],
            broker_cpu_ms_per_order: cpu[Role::Broker as usize],
            runtime_disk_kb_per_order: before
                .written
                .zip(after.written)
                .map(|(before, after)| kilobytes(after - before) / orders_f),
            services_peak_mib,
            services_peak_together_mib: mib(self.peak_together.get()),
            invocation_attempts_per_order: before
                .attempts
                .zip(after.attempts)
                .map(|(before, after)| (after - before) / orders_f),
            location_updates_per_order: kafka_records_per_order
                .get(&self.updates_topic)
                .copied()
                .unwrap_or_default(),
            kafka_records_per_order,
            processes,
            handlers: (after.handlers.into_iter())
                .map(|(handler, after)| {
                    let before = before.handlers.get(&handler).copied().unwrap_or_default();
                    (handler, after.per_order(before, orders_f))
                })
                .filter(|(_, costs)| costs.attempts > 0.0)
                .collect(),
            stages: Vec::new(),
        })
    }
}

/// A client for reading the topics' offsets.
pub(super) fn kafka(connection: &Connection) -> anyhow::Result<BaseConsumer> {
    Ok(connection.config().create()?)
}

async fn metrics_at(url: &str) -> anyhow::Result<String> {
    let client = http::client(Duration::from_secs(10))?;
    http::text(client.get(url)).await
}

/// How many times a node of the runtime has called a handler, according to its metrics.
fn attempts_in(text: &str) -> f64 {
    metrics::sum(
        text,
        "restate_invoker_invocation_tasks_total",
        &[r#"status="started""#],
    )
}

fn mib(kib: u64) -> f64 {
    // Exact up to 4 TiB.
    f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0
}

fn kilobytes(bytes: u64) -> f64 {
    // Exact up to 4 TB.
    f64::from(u32::try_from(bytes / 1_000).unwrap_or(u32::MAX))
}

fn count(records: i64) -> f64 {
    f64::from(i32::try_from(records).unwrap_or(i32::MAX))
}

impl Figures {
    /// CPU time of services, runtime and broker together.
    pub(super) fn cpu_ms_per_order(&self) -> f64 {
        self.services_cpu_ms_per_order
            + self.runtime_cpu_ms_per_order
            + self.broker_cpu_ms_per_order
    }

    /// Prints the figures for people.
    pub(super) fn print(&self) {
        let line = |what: &str, value: f64, digits: usize| {
            say!("  {what:<44}{value:>12.digits$}");
        };
        line("orders", f64::from(self.orders), 0);
        line("seconds", self.seconds, 2);
        line("orders/s", self.orders_per_second, 1);
        line("CPU ms/order, services", self.services_cpu_ms_per_order, 2);
        line("CPU ms/order, runtime", self.runtime_cpu_ms_per_order, 2);
        line("CPU ms/order, broker", self.broker_cpu_ms_per_order, 2);
        if let Some(kilobytes) = self.runtime_disk_kb_per_order {
            line("kB written to disk/order, runtime", kilobytes, 0);
        }
        let (sum, together) = (self.services_peak_mib, self.services_peak_together_mib);
        line("sum of the peaks of each service (RSS), MiB", sum, 1);
        line(
            "peak memory of all services together (PSS), MiB",
            together,
            1,
        );
        if let Some(attempts) = self.invocation_attempts_per_order {
            line("invocation attempts/order", attempts, 1);
        }
        line("location updates/order", self.location_updates_per_order, 1);
        for (topic, records) in &self.kafka_records_per_order {
            line(&format!("Kafka records/order in {topic}"), *records, 2);
        }
        say!(
            "\n  {:<32}{:>14}{:>16}",
            "process",
            "CPU ms/order",
            "peak MiB"
        );
        for process in &self.processes {
            say!(
                "  {:<32}{:>14.2}{:>16.1}",
                process.name,
                process.cpu_ms_per_order,
                process.peak_mib
            );
        }
        if !self.handlers.is_empty() {
            self.print_handlers();
        }
        if !self.stages.is_empty() {
            say!("\n{}", timeline::table(&self.stages));
        }
    }

    fn print_handlers(&self) {
        let line = |handler: &str, costs: &HandlerCosts| {
            say!(
                "  {handler:<58}{:>10.2}{:>10.2}{:>12.0}{:>12.0}",
                costs.attempts,
                costs.journal_entries,
                costs.received_bytes,
                costs.sent_bytes
            );
        };
        say!(
            "\n  {:<58}{:>10}{:>10}{:>12}{:>12}",
            "handler, each per order",
            "attempts",
            "entries",
            "B received",
            "B sent"
        );
        let mut sum = HandlerCosts::default();
        for (handler, costs) in &self.handlers {
            line(handler, costs);
            sum.attempts += costs.attempts;
            sum.journal_entries += costs.journal_entries;
            sum.received_bytes += costs.received_bytes;
            sum.sent_bytes += costs.sent_bytes;
        }
        line("sum", &sum);
    }
}
