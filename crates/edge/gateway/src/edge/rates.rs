//! How often each client may send requests: a budget for each kind of request, refilled evenly.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};
use lru::LruCache;
use parking_lot::Mutex;

use super::permits::Client;
use super::settings::{Edge, Rate};

/// How many clients a budget remembers, each in about 100 bytes. Beyond that, the clients that have been quiet for longest are
/// forgotten and have their whole budget again: a flood of addresses weakens the limits, but does not use more memory.
const CLIENTS: usize = 65_536;

/// The budget that a request is charged to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Budget {
    /// Placing and cancelling orders.
    Orders,
    /// Opening a stream of events.
    Streams,
    /// Callbacks of restaurants. One address may send for many restaurants.
    Callbacks,
    /// Trying an operators' token.
    Tokens,
    /// Everything else.
    Reads,
}

impl Budget {
    /// The budget of a request; `None` for health checks, which are polled.
    pub(crate) fn of(method: &Method, path: &str) -> Option<Self> {
        if path == "/health" || path == "/ready" {
            return None;
        }
        Some(match path.strip_prefix("/api/") {
            Some("operations/session") => Self::Tokens,
            Some(path) if path.starts_with("callbacks/") => Self::Callbacks,
            Some(path) if path.ends_with("/events") => Self::Streams,
            Some(path) if method == Method::POST && path.starts_with("order") => Self::Orders,
            _ => Self::Reads,
        })
    }

    /// The name of the budget in headers, and the label of its refusals in metrics.
    pub(crate) fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Orders => ("orders", "rate-of-orders"),
            Self::Streams => ("streams", "rate-of-streams"),
            Self::Callbacks => ("callbacks", "rate-of-callbacks"),
            Self::Tokens => ("tokens", "rate-of-tokens"),
            Self::Reads => ("reads", "rate-of-reads"),
        }
    }
}

/// The remaining budgets of all clients, one limiter for each [`Budget`], in the order of its variants.
pub(crate) struct Rates([Limiter; 5]);

impl Rates {
    pub(crate) fn new(edge: &Edge) -> Self {
        let of = &edge.client_rates;
        let rates = [of.order, of.stream, of.callback, of.token, of.read];
        Self(rates.map(|rate| Limiter::new(rate, DefaultClock::default())))
    }

    /// Charges a request to the client's budget.
    pub(crate) fn charge(&self, client: Client, budget: Budget) -> Charge {
        let limiter = &self.0[budget as usize];
        Charge {
            budget,
            rate: limiter.rate,
            left: limiter.charge(client),
        }
    }
}

/// The result of charging a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Charge {
    pub(crate) budget: Budget,
    rate: Rate,
    /// How many more are possible at once, or else the time until the next one.
    pub(crate) left: Result<u32, Duration>,
}

impl Charge {
    /// Header fields for well-behaved programs, as in `draft-ietf-httpapi-ratelimit-headers`.
    pub(crate) fn headers(&self) -> [(HeaderName, Option<HeaderValue>); 2] {
        let ((name, _), Rate { most, within }) = (self.budget.names(), self.rate);
        let policy = format!("\"{name}\";q={most};w={}", within.as_secs());
        let left = match self.left {
            Ok(left) => format!("\"{name}\";r={left}"),
            Err(wait) => format!("\"{name}\";r=0;t={}", in_seconds(wait)),
        };
        [("ratelimit-policy", policy), ("ratelimit", left)].map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::try_from(value).ok(),
            )
        })
    }
}

/// In whole seconds, rounded up, so that a client that waits that long is not too early.
pub(crate) fn in_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

struct Limiter<C: Clock = DefaultClock> {
    rate: Rate,
    clock: C,
    states: RateLimiter<Client, Recent, C, StateInformationMiddleware>,
}

impl<C: Clock + Clone> Limiter<C> {
    fn new(rate: Rate, clock: C) -> Self {
        // A rate is at least one, and allows a nanosecond for each.
        let quota = Quota::with_period(rate.within / rate.most.get())
            .unwrap_or_else(|| Quota::per_second(rate.most))
            .allow_burst(rate.most);
        Self {
            rate,
            states: RateLimiter::new(quota, Recent::new(CLIENTS), clock.clone()),
            clock,
        }
    }

    fn charge(&self, client: Client) -> Result<u32, Duration> {
        match self.states.check_key(&client) {
            Ok(state) => Ok(state.remaining_burst_capacity()),
            Err(not_until) => Err(not_until.wait_time_from(self.clock.now())),
        }
    }
}

/// The states of the clients with the latest requests.
struct Recent {
    most: usize,
    /// Grows with the number of clients.
    states: Mutex<LruCache<Client, Nanos>>,
}

impl Recent {
    fn new(most: usize) -> Self {
        let states = Mutex::new(LruCache::unbounded());
        Self { most, states }
    }
}

impl StateStore for Recent {
    type Key = Client;

    fn measure_and_replace<T, F, E>(&self, client: &Client, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut states = self.states.lock();
        let (outcome, state) = decide(states.get(client).copied())?;
        states.put(*client, state);
        if states.len() > self.most {
            states.pop_lru();
        }
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn client(number: u32) -> Client {
        std::net::IpAddr::from(Ipv4Addr::from(number)).into()
    }

    #[test]
    fn a_budget_is_spent_at_once_or_evenly_and_each_client_has_its_own() {
        let clock = FakeRelativeClock::default();
        let limiter = Limiter::new("3/1m".parse().unwrap(), clock.clone());
        let left: Vec<_> = (0..3).map(|_| limiter.charge(client(1))).collect();
        assert_eq!(left, [Ok(2), Ok(1), Ok(0)]);
        assert_eq!(limiter.charge(client(1)), Err(Duration::from_secs(20)));
        assert_eq!(limiter.charge(client(2)), Ok(2));
        clock.advance(Duration::from_millis(19_500));
        assert_eq!(limiter.charge(client(1)), Err(Duration::from_millis(500)));
        clock.advance(Duration::from_millis(500));
        assert_eq!(limiter.charge(client(1)), Ok(0));
        assert!(limiter.charge(client(1)).is_err());
    }

    #[test]
    fn a_flood_of_addresses_uses_no_more_memory_and_does_not_free_whoever_floods() {
        let recent = Recent::new(100);
        let clock = FakeRelativeClock::default();
        let quota = Quota::with_period(Duration::from_mins(1)).unwrap();
        let states: RateLimiter<_, _, _, StateInformationMiddleware> =
            RateLimiter::new(quota, recent, clock);
        assert!(states.check_key(&client(0)).is_ok());
        for number in 1..10_000 {
            assert!(states.check_key(&client(number)).is_ok());
            // It sends requests all the time, so it is not forgotten.
            assert!(states.check_key(&client(0)).is_err());
        }
        let recent = states.into_state_store();
        assert_eq!(recent.states.lock().len(), 100);
    }

    #[test]
    fn each_request_has_its_budget() {
        for (method, path, budget) in [
            ("POST", "/api/orders", Some(Budget::Orders)),
            ("POST", "/api/order-ids", Some(Budget::Orders)),
            ("POST", "/api/orders/a/cancel", Some(Budget::Orders)),
            ("GET", "/api/orders/a", Some(Budget::Reads)),
            ("GET", "/api/orders/a/events", Some(Budget::Streams)),
            ("GET", "/api/operations/events", Some(Budget::Streams)),
            ("POST", "/api/operations/session", Some(Budget::Tokens)),
            (
                "POST",
                "/api/callbacks/restaurant/a/b",
                Some(Budget::Callbacks),
            ),
            ("GET", "/", Some(Budget::Reads)),
            ("GET", "/health", None),
            ("GET", "/ready", None),
        ] {
            let method = method.parse().unwrap();
            assert_eq!(Budget::of(&method, path), budget, "{method} {path}");
        }
    }
}
