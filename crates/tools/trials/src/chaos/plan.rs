//! The schedule of faults and their targets. All of it is derived from the seed.

use std::fmt;
use std::time::Duration;

use domain::topic;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

/// The duration of a fault that ends by itself, in ms.
const LASTS_MS: std::ops::RangeInclusive<u64> = 1_000..=5_000;
/// The duration of an outage, in ms. It is longer than the limits for third parties that `tested_system.rs` sets (`--payment-limit`,
/// `--preparation-limit`), and several times longer than Restate's default retries, which `tested_system.rs` limits.
const OUTAGE_MS: std::ops::RangeInclusive<u64> = 12_000..=16_000;
/// The parts that have outages. Kafka and a single Restate are not among them: without them everything just waits.
const OUTAGES: [Victim; 6] = [
    Victim::OrderServices,
    Victim::DriverSimulator,
    Victim::PositionFilter,
    Victim::RestaurantPos,
    Victim::PaymentProvider,
    Victim::Gateway,
];
/// The nodes that are cut off. A node that loses its disk is one of them too, and there is only one such node in a run.
const NODES: [Victim; 3] = [Victim::Restate, Victim::Restate2, Victim::Restate3];
/// The topics that are deleted and created again.
const RECREATED: [&str; 3] = [
    topic::ORDERS,
    topic::DRIVER_UPDATES,
    topic::DRIVER_POSITIONS,
];
/// The share of ended orders after which no more faults are injected, so that faults happen while orders are under way.
const LAST_FAULT: f64 = 0.95;

/// A process that faults can target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Victim {
    OrderServices,
    DriverSimulator,
    PositionFilter,
    RestaurantPos,
    PaymentProvider,
    Gateway,
    Restate,
    /// The second node of a cluster.
    Restate2,
    /// The third node of a cluster.
    Restate3,
    Kafka,
}

impl Victim {
    pub(super) const ALL: [Self; 8] = [
        Self::OrderServices,
        Self::DriverSimulator,
        Self::PositionFilter,
        Self::RestaurantPos,
        Self::PaymentProvider,
        Self::Gateway,
        Self::Restate,
        Self::Kafka,
    ];

    /// Whether it is a node of Restate.
    pub(super) fn is_restate(self) -> bool {
        NODES.contains(&self)
    }

    /// The name in `processes.json` and `endpoints.json`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OrderServices => "order-services",
            Self::DriverSimulator => "driver-simulator",
            Self::PositionFilter => "position-filter",
            Self::RestaurantPos => "restaurant-pos",
            Self::PaymentProvider => "payment-provider",
            Self::Gateway => "gateway",
            Self::Restate => "restate-server",
            Self::Restate2 => "restate-server-2",
            Self::Restate3 => "restate-server-3",
            Self::Kafka => "kafka",
        }
    }
}

/// A fault to inject.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// SIGKILL; the process is started again.
    Kill(Victim),
    /// SIGSTOP, and SIGCONT after `lasts`.
    Pause { victim: Victim, lasts: Duration },
    /// SIGKILL, and the process is started again only after `lasts`: until then connections to it are refused.
    Outage { victim: Victim, lasts: Duration },
    /// The node and the others do not reach each other for the time `lasts`; clients reach all of them.
    CutOff { node: Victim, lasts: Duration },
    /// SIGKILL, and the node comes back as a new one without any data.
    LoseDisk(Victim),
    /// `PUT /faults` makes a third party fail.
    Misbehave {
        stub: Victim,
        faults: Value,
        lasts: Duration,
    },
    /// The events of these orders are published again, in this sequence.
    Repeat(Vec<u32>),
    /// A driver's phone reports old positions again and out of order, and invalid positions.
    StalePositions { driver: u32 },
    /// A driver's phone reports positions with the times of a wrong clock, and an impossible position.
    WrongClock { driver: u32 },
    /// An operator pauses the invocations of these orders, and setup resumes them after `lasts`.
    PauseWork { orders: Vec<u32>, lasts: Duration },
    /// Records that are not valid orders; some of them name this order.
    Garbage { order: u32 },
    /// Customers cancel these orders.
    CustomerCancels(Vec<u32>),
    /// An operator cancels the invocations of these orders' workflows.
    OperatorCancels(Vec<u32>),
    /// An operator deletes a topic and runs setup, which creates it again.
    RecreateTopic(&'static str),
}

/// A fault and when to inject it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planned {
    /// The number of ended orders at which to inject it. Not a time, so that a slow machine has the same faults for the same
    /// orders.
    pub(super) after: u32,
    pub(super) fault: Fault,
}

/// The parameters of a plan, besides the seed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) orders: u32,
    pub(super) faults: u32,
    pub(super) drivers: u32,
    /// How many orders are under way at a time.
    pub(super) in_flight: u32,
    /// Whether the broker's records survive when it is killed.
    pub(super) durable_broker: bool,
    /// Whether Restate has three nodes, each of which may be lost.
    pub(super) cluster: bool,
}

/// The schedule of faults for `seed`, in the sequence in which they are injected.
///
/// The kinds come in random order. No kind is repeated until every kind has occurred.
pub(super) fn plan(seed: u64, size: Size) -> Vec<Planned> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut deck = Vec::new();
    (0..size.faults)
        .map(|number| {
            if deck.is_empty() {
                deck = Card::deck(size);
                // Each record is on two nodes. What was on a lost disk is then on one, so a second lost disk could lose it.
                if size.cluster && number == 0 {
                    deck.push(Card::LoseDisk);
                }
                deck.shuffle(&mut random);
            }
            // Each fault gets an equal share of the orders, and a random moment within it.
            let share = f64::from(size.orders) * LAST_FAULT / f64::from(size.faults);
            let moment = (f64::from(number) + random.random_range(0.0..1.0)) * share;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "from 0 to the number of orders"
            )]
            let after = moment as u32;
            let card = deck.pop().unwrap_or(Card::Garbage);
            Planned {
                after,
                fault: card.draw(&mut random, after, size),
            }
        })
        .collect()
}

/// A kind of fault.
#[derive(Debug, Clone, Copy)]
enum Card {
    Kill(Victim),
    Pause(Victim),
    Outage(Victim),
    CutOff(Victim),
    LoseDisk,
    Misbehave(Victim, fn() -> Value),
    Repeat,
    StalePositions,
    WrongClock,
    PauseWork,
    Garbage,
    CustomerCancels,
    OperatorCancels,
    RecreateTopic(&'static str),
}

impl Card {
    fn deck(size: Size) -> Vec<Self> {
        use Victim::{PaymentProvider, RestaurantPos};
        let Size {
            durable_broker,
            cluster,
            ..
        } = size;
        let mut deck = vec![
            Self::Misbehave(PaymentProvider, || json!({"errorRate": 0.5})),
            Self::Misbehave(PaymentProvider, || json!({"errorAfterChargeRate": 0.7})),
            Self::Misbehave(PaymentProvider, || json!({"latencyMs": 2000})),
            Self::Misbehave(PaymentProvider, || json!({"declineRate": 0.3})),
            Self::Misbehave(PaymentProvider, || json!({"nonsenseRate": 0.5})),
            Self::Misbehave(PaymentProvider, || json!({"wrongAmountRate": 0.3})),
            Self::Misbehave(RestaurantPos, || json!({"nonsenseRate": 0.5})),
            Self::Misbehave(RestaurantPos, || json!({"errorRate": 0.5})),
            Self::Misbehave(RestaurantPos, || json!({"latencyMs": 2000})),
            Self::Misbehave(RestaurantPos, || json!({"rejectRate": 0.3})),
            Self::Misbehave(RestaurantPos, || json!({"silenceRate": 0.2})),
            Self::Misbehave(RestaurantPos, || json!({"duplicateCallbackRate": 0.7})),
            Self::Repeat,
            Self::Repeat,
            Self::StalePositions,
            Self::WrongClock,
            Self::PauseWork,
            Self::Garbage,
            Self::Garbage,
            Self::CustomerCancels,
            Self::CustomerCancels,
            Self::OperatorCancels,
            Self::OperatorCancels,
        ];
        deck.extend(OUTAGES.map(Self::Outage));
        if durable_broker {
            deck.extend(RECREATED.map(Self::RecreateTopic));
        }
        for victim in Victim::ALL {
            deck.push(Self::Pause(victim));
            if victim != Victim::Kafka || durable_broker {
                deck.push(Self::Kill(victim));
            }
        }
        if cluster {
            for node in NODES {
                deck.extend([Self::Outage(node), Self::CutOff(node)]);
            }
            for node in [Victim::Restate2, Victim::Restate3] {
                deck.extend([Self::Pause(node), Self::Kill(node)]);
            }
        }
        deck
    }

    /// Makes a fault of this kind, with random targets, for the moment at which `after` orders have ended.
    fn draw(self, random: &mut StdRng, after: u32, size: Size) -> Fault {
        // Orders end in about the sequence in which they are placed, so these are probably under way.
        let under_way = after.min(size.orders - 1) + 1..=(after + size.in_flight).min(size.orders);
        let lasts = Duration::from_millis(random.random_range(LASTS_MS));
        match self {
            Self::Kill(victim) => Fault::Kill(victim),
            Self::Pause(victim) => Fault::Pause { victim, lasts },
            Self::Outage(victim) => Fault::Outage {
                victim,
                lasts: Duration::from_millis(random.random_range(OUTAGE_MS)),
            },
            Self::CutOff(node) => Fault::CutOff {
                node,
                lasts: Duration::from_millis(random.random_range(OUTAGE_MS)),
            },
            Self::LoseDisk => Fault::LoseDisk(*NODES.choose(random).unwrap_or(&Victim::Restate3)),
            Self::Misbehave(stub, faults) => Fault::Misbehave {
                stub,
                faults: faults(),
                lasts,
            },
            Self::Repeat => {
                // Some that ended long ago and some that may be under way; latest first.
                let mut orders = random_numbers(random, 1..=after.max(1), 10);
                orders.extend(random_numbers(random, under_way, 10));
                orders.sort_unstable_by(|a, b| b.cmp(a));
                Fault::Repeat(orders)
            }
            Self::StalePositions => Fault::StalePositions {
                driver: random.random_range(1..=size.drivers),
            },
            Self::WrongClock => Fault::WrongClock {
                driver: random.random_range(1..=size.drivers),
            },
            Self::PauseWork => Fault::PauseWork {
                orders: random_numbers(random, under_way, 10),
                lasts,
            },
            Self::Garbage => Fault::Garbage {
                order: random.random_range(under_way),
            },
            Self::CustomerCancels => Fault::CustomerCancels(random_numbers(random, under_way, 5)),
            Self::OperatorCancels => Fault::OperatorCancels(random_numbers(random, under_way, 3)),
            Self::RecreateTopic(topic) => Fault::RecreateTopic(topic),
        }
    }
}

/// Up to `count` different random numbers of a range, sorted.
fn random_numbers(
    random: &mut StdRng,
    range: std::ops::RangeInclusive<u32>,
    count: usize,
) -> Vec<u32> {
    let mut numbers: Vec<u32> = (0..count)
        .map(|_| random.random_range(range.clone()))
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

impl Fault {
    /// The name of its kind: its description without orders, driver and duration.
    pub(super) fn kind(&self) -> String {
        match self {
            Self::Kill(victim) => format!("kill -9 {}", victim.name()),
            Self::Pause { victim, .. } => format!("pause {}", victim.name()),
            Self::Outage { victim, .. } => format!("kill -9 with outage: {}", victim.name()),
            Self::CutOff { node, .. } => format!("cut off {}", node.name()),
            Self::LoseDisk(_) => "a node loses its disk".to_owned(),
            Self::Misbehave { stub, faults, .. } => format!("{} {faults}", stub.name()),
            Self::Repeat(_) => "repeat order events".to_owned(),
            Self::StalePositions { .. } => "stale positions".to_owned(),
            Self::WrongClock { .. } => "wrong clock".to_owned(),
            Self::PauseWork { .. } => "operator pauses".to_owned(),
            Self::Garbage { .. } => "garbage".to_owned(),
            Self::CustomerCancels(_) => "customers cancel".to_owned(),
            Self::OperatorCancels(_) => "operator cancels".to_owned(),
            Self::RecreateTopic(topic) => format!("recreate topic {topic}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(victim) => write!(f, "kill -9 {}", victim.name()),
            Self::Pause { victim, lasts } => {
                write!(f, "pause {} for {} ms", victim.name(), lasts.as_millis())
            }
            Self::Outage { victim, lasts } => write!(
                f,
                "kill -9 {}, down for {} ms",
                victim.name(),
                lasts.as_millis()
            ),
            Self::CutOff { node, lasts } => {
                write!(f, "cut off {} for {} ms", node.name(), lasts.as_millis())
            }
            Self::LoseDisk(node) => write!(f, "{} loses its disk", node.name()),
            Self::Misbehave {
                stub,
                faults,
                lasts,
            } => write!(f, "{} {faults} for {} ms", stub.name(), lasts.as_millis()),
            Self::Repeat(orders) => {
                write!(f, "repeat {} order events: {}", orders.len(), list(orders))
            }
            Self::StalePositions { driver } => write!(f, "stale positions of driver-{driver}"),
            Self::WrongClock { driver } => write!(f, "wrong clock of driver-{driver}"),
            Self::PauseWork { orders, lasts } => write!(
                f,
                "operator pauses {} for {} ms",
                list(orders),
                lasts.as_millis()
            ),
            Self::Garbage { order } => write!(f, "garbage, some in the name of order {order}"),
            Self::CustomerCancels(orders) => write!(f, "customers cancel {}", list(orders)),
            Self::OperatorCancels(orders) => write!(f, "operator cancels {}", list(orders)),
            Self::RecreateTopic(topic) => write!(f, "topic {topic} is deleted and created again"),
        }
    }
}

fn list(orders: &[u32]) -> String {
    let numbers: Vec<String> = orders.iter().map(ToString::to_string).collect();
    numbers.join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SIZE: Size = Size {
        orders: 5_000,
        faults: 100,
        drivers: 50,
        in_flight: 100,
        durable_broker: true,
        cluster: false,
    };

    #[test]
    fn the_same_seed_gives_the_same_faults_and_another_seed_gives_others() {
        assert_eq!(plan(7, SIZE), plan(7, SIZE));
        assert_ne!(plan(7, SIZE), plan(8, SIZE));
    }

    #[test]
    fn a_hundred_faults_kill_and_pause_every_part_while_orders_are_under_way() {
        let plan = plan(1, SIZE);
        assert_eq!(plan.len(), 100);
        assert!(plan.windows(2).all(|pair| pair[0].after <= pair[1].after));
        assert!(
            plan.iter()
                .all(|planned| (0..4_800).contains(&planned.after))
        );
        for victim in Victim::ALL {
            let has = |is: &dyn Fn(&Fault) -> bool| plan.iter().any(|planned| is(&planned.fault));
            assert!(has(&|fault| *fault == Fault::Kill(victim)), "{victim:?}");
            assert!(has(
                &|fault| matches!(fault, Fault::Pause { victim: paused, .. } if *paused == victim)
            ));
        }
    }

    #[test]
    fn a_broker_that_would_lose_its_records_is_never_killed_and_its_topics_are_left_alone() {
        let size = Size {
            durable_broker: false,
            ..SIZE
        };
        for seed in 0..20 {
            let plan = plan(seed, size);
            assert!(plan.iter().all(|planned| {
                planned.fault != Fault::Kill(Victim::Kafka)
                    && !matches!(planned.fault, Fault::RecreateTopic(_))
            }));
        }
    }

    #[test]
    fn each_node_of_a_cluster_is_killed_paused_kept_down_and_cut_off_and_a_single_one_only_killed_and_paused()
     {
        let faults = |cluster| {
            let size = Size { cluster, ..SIZE };
            let plan = plan(1, size).into_iter();
            plan.map(|planned| planned.fault.kind())
                .collect::<BTreeSet<_>>()
        };
        for node in [Victim::Restate, Victim::Restate2, Victim::Restate3] {
            let name = node.name();
            for kind in ["kill -9", "pause", "kill -9 with outage:", "cut off"]
                .map(|kind| format!("{kind} {name}"))
            {
                assert!(faults(true).contains(&kind), "{kind}");
                let possible = node == Victim::Restate
                    && !kind.contains("outage")
                    && !kind.contains("cut off");
                assert_eq!(faults(false).contains(&kind), possible, "{kind}");
            }
        }
    }

    #[test]
    fn one_disk_of_a_cluster_is_lost_and_never_a_second_one() {
        for (cluster, lost) in [(true, 1), (false, 0)] {
            let size = Size {
                cluster,
                faults: 300,
                ..SIZE
            };
            let plan = plan(1, size);
            let disks = plan
                .iter()
                .filter(|planned| matches!(planned.fault, Fault::LoseDisk(_)));
            assert_eq!(disks.count(), lost);
        }
    }

    #[test]
    fn a_hundred_faults_include_every_kind_whatever_the_seed() {
        for seed in 0..20 {
            let kinds: BTreeSet<String> = plan(seed, SIZE)
                .iter()
                .map(|planned| planned.fault.kind())
                .collect();
            let mut random = StdRng::seed_from_u64(seed);
            for card in Card::deck(SIZE) {
                let kind = card.draw(&mut random, 100, SIZE).kind();
                assert!(kinds.contains(&kind), "seed {seed}: no {kind}");
            }
        }
    }
}
