//! What is done to whom, and when: all of it follows from the seed.

use std::fmt;
use std::time::Duration;

use domain::topic;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

/// How long a fault lasts that ends by itself, in ms.
const LASTS_MS: std::ops::RangeInclusive<u64> = 1_000..=5_000;
/// How long a part is away that is not started again at once, in ms: longer than a third party may take by the limits of the system
/// that is struck (`--payment-limit`, `--preparation-limit`), and several times longer than Restate tries by itself where services
/// do not say how long (`--restate-default-attempts`).
const AWAY_MS: std::ops::RangeInclusive<u64> = 12_000..=16_000;
/// The parts that are kept away. Kafka and Restate cannot be given up: everything waits for them.
const AWAY: [Victim; 5] = [
    Victim::OrderServices,
    Victim::DriverSimulator,
    Victim::RestaurantPos,
    Victim::PaymentProvider,
    Victim::Gateway,
];
/// The part of the orders after whose end nothing is done any more: faults strike while orders are under way.
const LAST_FAULT: f64 = 0.95;

/// A process that can be struck.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Victim {
    OrderServices,
    DriverSimulator,
    RestaurantPos,
    PaymentProvider,
    Gateway,
    Restate,
    Kafka,
}

impl Victim {
    pub(super) const ALL: [Self; 7] = [
        Self::OrderServices,
        Self::DriverSimulator,
        Self::RestaurantPos,
        Self::PaymentProvider,
        Self::Gateway,
        Self::Restate,
        Self::Kafka,
    ];

    /// The name in `processes.json` and `endpoints.json`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::OrderServices => "order-services",
            Self::DriverSimulator => "driver-simulator",
            Self::RestaurantPos => "restaurant-pos",
            Self::PaymentProvider => "payment-provider",
            Self::Gateway => "gateway",
            Self::Restate => "restate-server",
            Self::Kafka => "kafka",
        }
    }
}

/// Something that is done to the system.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// SIGKILL; the process is started again.
    Kill(Victim),
    /// SIGSTOP, and SIGCONT later.
    Pause { victim: Victim, lasts: Duration },
    /// SIGKILL, and the process is not there for a while: whoever calls it is refused.
    TakeAway { victim: Victim, lasts: Duration },
    /// A third party fails as its `/faults` tell it.
    Misbehave {
        stub: Victim,
        faults: Value,
        lasts: Duration,
    },
    /// The events of these orders come again, in this order.
    Repeat(Vec<u32>),
    /// A driver's phone tells of old places again, out of order, and of places that are none.
    StalePlaces { driver: u32 },
    /// A driver's phone tells places with the times of a clock that is wrong, and places where nobody can be.
    WrongClock { driver: u32 },
    /// An operator pauses what is under way for these orders, and setup resumes it later.
    PauseWork { orders: Vec<u32>, lasts: Duration },
    /// Records that are no orders; one of them names this order.
    Garbage { order: u32 },
    /// Customers call these orders off.
    CustomerCancels(Vec<u32>),
    /// An operator cancels the invocations of these orders' workflows.
    OperatorCancels(Vec<u32>),
    /// An operator deletes a topic and runs setup, which creates it anew.
    RecreateTopic(&'static str),
}

/// A fault and its moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planned {
    /// How many orders have ended by then. Not a time: on a slow machine the same happens to the same orders.
    pub(super) after: u32,
    pub(super) fault: Fault,
}

/// What a plan depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) orders: u32,
    pub(super) faults: u32,
    pub(super) drivers: u32,
    /// How many orders are under way at a time.
    pub(super) in_flight: u32,
    /// Whether the broker keeps its records when it is killed.
    pub(super) durable_broker: bool,
}

/// The faults that `seed` brings, in the order of their moments.
///
/// Kinds are dealt like cards: none comes a second time before all have come once.
pub(super) fn plan(seed: u64, size: Size) -> Vec<Planned> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut deck = Vec::new();
    (0..size.faults)
        .map(|number| {
            if deck.is_empty() {
                deck = Card::deck(size.durable_broker);
                deck.shuffle(&mut random);
            }
            // Evenly over the orders, each somewhere in its share of them.
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
    TakeAway(Victim),
    Misbehave(Victim, fn() -> Value),
    Repeat,
    StalePlaces,
    WrongClock,
    PauseWork,
    Garbage,
    CustomerCancels,
    OperatorCancels,
    RecreateTopic(&'static str),
}

impl Card {
    fn deck(durable_broker: bool) -> Vec<Self> {
        use Victim::{PaymentProvider, RestaurantPos};
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
            Self::StalePlaces,
            Self::WrongClock,
            Self::PauseWork,
            Self::Garbage,
            Self::Garbage,
            Self::CustomerCancels,
            Self::CustomerCancels,
            Self::OperatorCancels,
            Self::OperatorCancels,
        ];
        deck.extend(AWAY.map(Self::TakeAway));
        if durable_broker {
            deck.extend([topic::ORDERS, topic::DRIVER_UPDATES].map(Self::RecreateTopic));
        }
        for victim in Victim::ALL {
            deck.push(Self::Pause(victim));
            if victim != Victim::Kafka || durable_broker {
                deck.push(Self::Kill(victim));
            }
        }
        deck
    }

    /// The fault, when `after` orders have ended.
    fn draw(self, random: &mut StdRng, after: u32, size: Size) -> Fault {
        // Orders end about as they are placed.
        let under_way = after.min(size.orders - 1) + 1..=(after + size.in_flight).min(size.orders);
        let lasts = Duration::from_millis(random.random_range(LASTS_MS));
        match self {
            Self::Kill(victim) => Fault::Kill(victim),
            Self::Pause(victim) => Fault::Pause { victim, lasts },
            Self::TakeAway(victim) => Fault::TakeAway {
                victim,
                lasts: Duration::from_millis(random.random_range(AWAY_MS)),
            },
            Self::Misbehave(stub, faults) => Fault::Misbehave {
                stub,
                faults: faults(),
                lasts,
            },
            Self::Repeat => {
                // Some from long ago, some that may be under way; latest first.
                let mut orders = some(random, 1..=after.max(1), 10);
                orders.extend(some(random, under_way, 10));
                orders.sort_unstable_by(|a, b| b.cmp(a));
                Fault::Repeat(orders)
            }
            Self::StalePlaces => Fault::StalePlaces {
                driver: random.random_range(1..=size.drivers),
            },
            Self::WrongClock => Fault::WrongClock {
                driver: random.random_range(1..=size.drivers),
            },
            Self::PauseWork => Fault::PauseWork {
                orders: some(random, under_way, 10),
                lasts,
            },
            Self::Garbage => Fault::Garbage {
                order: random.random_range(under_way),
            },
            Self::CustomerCancels => Fault::CustomerCancels(some(random, under_way, 5)),
            Self::OperatorCancels => Fault::OperatorCancels(some(random, under_way, 3)),
            Self::RecreateTopic(topic) => Fault::RecreateTopic(topic),
        }
    }
}

/// Up to `count` numbers of a range, each once.
fn some(random: &mut StdRng, range: std::ops::RangeInclusive<u32>, count: usize) -> Vec<u32> {
    let mut numbers: Vec<u32> = (0..count)
        .map(|_| random.random_range(range.clone()))
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

impl Fault {
    /// What it has in common with others: all but the orders, the driver and the time.
    pub(super) fn kind(&self) -> String {
        match self {
            Self::Kill(victim) => format!("kill -9 {}", victim.name()),
            Self::Pause { victim, .. } => format!("pause {}", victim.name()),
            Self::TakeAway { victim, .. } => format!("kill -9 and away: {}", victim.name()),
            Self::Misbehave { stub, faults, .. } => format!("{} {faults}", stub.name()),
            Self::Repeat(_) => "repeat order events".to_owned(),
            Self::StalePlaces { .. } => "stale places".to_owned(),
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
            Self::TakeAway { victim, lasts } => write!(
                f,
                "kill -9 {}, away for {} ms",
                victim.name(),
                lasts.as_millis()
            ),
            Self::Misbehave {
                stub,
                faults,
                lasts,
            } => write!(f, "{} {faults} for {} ms", stub.name(), lasts.as_millis()),
            Self::Repeat(orders) => {
                write!(f, "repeat {} order events: {}", orders.len(), list(orders))
            }
            Self::StalePlaces { driver } => write!(f, "stale places of driver-{driver}"),
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
    };

    #[test]
    fn a_seed_brings_the_same_faults_again_and_another_seed_others() {
        assert_eq!(plan(7, SIZE), plan(7, SIZE));
        assert_ne!(plan(7, SIZE), plan(8, SIZE));
    }

    #[test]
    fn a_hundred_faults_kill_and_pause_everyone_and_strike_while_orders_are_under_way() {
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
    fn a_hundred_faults_are_of_every_kind_whatever_the_seed() {
        for seed in 0..20 {
            let kinds: BTreeSet<String> = plan(seed, SIZE)
                .iter()
                .map(|planned| planned.fault.kind())
                .collect();
            let mut random = StdRng::seed_from_u64(seed);
            for card in Card::deck(true) {
                let kind = card.draw(&mut random, 100, SIZE).kind();
                assert!(kinds.contains(&kind), "seed {seed}: no {kind}");
            }
        }
    }
}
