//! Fault injection, at rates that are set at run time.
//!
//! A stub describes its faults in a [`Plan`], a plain struct of [`Rate`]s that [`fault_plan!`](crate::fault_plan) declares. [`Faults`]
//! holds the current plan, [`Faults::routes`] lets anyone change it, and [`Faults::guard`] applies the three faults that every stub has.
//! A stub applies its own faults itself, with [`draw`] and [`Rate::occurs`].
//!
//! Code that injects a fault counts it with [`count`].
//!
//! The plan is only in memory: a restarted stub has no faults.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use domain::json::{self, Fields, Value, Violations};
use parking_lot::Mutex;
use serde::Serialize;
use telemetry::metrics::Counters;

use crate::extract::{JsonBytes, unusable};
use crate::nonsense;
use crate::problem::{Problem, UNAVAILABLE, problem};

static STRUCK: Counters<1> = Counters::new(
    "faults_struck",
    "Requests at which a fault was injected, by the name of the fault in /faults",
    ["fault"],
);

/// Counts a request at which a fault was injected. `fault` is its name in `/faults`.
pub fn count(fault: &'static str) {
    STRUCK.inc([fault]);
}

/// The rate of a fault: from 0 (never) to 1 (always).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Rate(f64);

/// The error for a number that is not a valid rate.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("must be a rate from 0 (never) to 1 (always), not {0}")]
pub struct InvalidRate(f64);

impl Rate {
    /// It never happens.
    pub const NEVER: Self = Self(0.0);
    /// It happens every time.
    pub const ALWAYS: Self = Self(1.0);

    /// Parses a rate from a request.
    pub fn from_json(value: Value<'_>) -> Result<Self, String> {
        Self::try_from(value.float()?).map_err(|error| error.to_string())
    }

    /// Whether it happens this time, given a random number from [`draw`].
    #[must_use]
    pub fn occurs(self, draw: f64) -> bool {
        draw < self.0
    }
}

impl TryFrom<f64> for Rate {
    type Error = InvalidRate;

    fn try_from(rate: f64) -> Result<Self, InvalidRate> {
        let is_rate = (0.0..=1.0).contains(&rate);
        is_rate.then_some(Self(rate)).ok_or(InvalidRate(rate))
    }
}

/// How long a stub waits before it handles a request: a whole number of milliseconds, at most ten minutes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Latency(u64);

/// The error for a number of milliseconds that is too large for a [`Latency`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be at most {max} ms, not {0}", max = Latency::MAX_MS)]
pub struct TooLong(u64);

impl Latency {
    const MAX_MS: u64 = 600_000;

    /// Parses a number of milliseconds from a request.
    pub fn from_json(value: Value<'_>) -> Result<Self, String> {
        let ms = value.whole_number(0..=i64::MAX)?.unsigned_abs();
        Self::try_from(ms).map_err(|error| error.to_string())
    }
}

impl TryFrom<u64> for Latency {
    type Error = TooLong;

    fn try_from(ms: u64) -> Result<Self, TooLong> {
        (ms <= Self::MAX_MS).then_some(Self(ms)).ok_or(TooLong(ms))
    }
}

impl From<Latency> for Duration {
    fn from(latency: Latency) -> Self {
        Self::from_millis(latency.0)
    }
}

/// Random numbers, each from 0 up to but not including 1.
#[must_use]
pub fn draw<const N: usize>() -> [f64; N] {
    std::array::from_fn(|_| rand::random())
}

/// The faults of a stub. The default has none.
///
/// In JSON it is an object.
pub trait Plan: Copy + Default + Debug + Serialize + Send + Sync + 'static {
    /// The plan after the changes in `fields`; `None` if any of them is invalid. Fields that are not read here are refused.
    fn changed(self, fields: &mut Fields<'_, '_>) -> Option<Self>;

    /// The faults of every stub: the rate at which a request is answered with 503 before anything is done; the rate at which it gets an
    /// invalid answer, in half of the cases after it was carried out; and how long it waits before anything is done.
    fn of_every_stub(&self) -> (Rate, Rate, Latency);
}

/// Declares a [`Plan`]: the three faults that every stub has, and the rates of its own faults with their names in `/faults`.
#[macro_export]
macro_rules! fault_plan {
    ($(#[$doc:meta])* $vis:vis struct $plan:ident {
        $($(#[$of_rate:meta])* $rate:ident: $name:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, ::serde::Serialize)]
        #[serde(rename_all = "camelCase")]
        $vis struct $plan {
            /// The rate at which a request that changes something is answered with 503, and nothing is done.
            pub error_rate: $crate::faults::Rate,
            /// The rate at which such a request gets an invalid answer: a page, a redirect, too little, too much. In half of these
            /// cases it was carried out before.
            pub nonsense_rate: $crate::faults::Rate,
            /// How long such a request waits before anything is done, in milliseconds.
            pub latency_ms: $crate::faults::Latency,
            $($(#[$of_rate])* pub $rate: $crate::faults::Rate,)*
        }

        impl $crate::faults::Plan for $plan {
            fn changed(self, fields: &mut ::domain::json::Fields<'_, '_>) -> Option<Self> {
                use $crate::faults::{Latency, Rate};
                let mut rate = |name, now: Rate| fields.optional_or(name, Rate::from_json, || Ok(now));
                let error_rate = rate("errorRate", self.error_rate);
                let nonsense_rate = rate("nonsenseRate", self.nonsense_rate);
                $(let $rate = rate($name, self.$rate);)*
                let latency_ms =
                    fields.optional_or("latencyMs", Latency::from_json, || Ok(self.latency_ms));
                Some(Self {
                    error_rate: error_rate?,
                    nonsense_rate: nonsense_rate?,
                    latency_ms: latency_ms?,
                    $($rate: $rate?,)*
                })
            }

            fn of_every_stub(&self) -> ($crate::faults::Rate, $crate::faults::Rate, $crate::faults::Latency) {
                (self.error_rate, self.nonsense_rate, self.latency_ms)
            }
        }
    };
}

/// A handle to the current [`Plan`], shared by its clones.
#[derive(Debug, Clone, Default)]
pub struct Faults<P>(Arc<Mutex<P>>);

impl<P: Plan> Faults<P> {
    /// The current plan.
    #[must_use]
    pub fn current(&self) -> P {
        *self.0.lock()
    }

    /// Replaces the plan.
    pub fn set(&self, plan: P) {
        *self.0.lock() = plan;
    }

    /// The routes of `/faults`: GET shows the plan, PUT changes the faults that the body names, DELETE removes all faults. Each
    /// answers with the resulting plan.
    pub fn routes(&self) -> Router {
        let faults = get(Self::show).put(Self::change).delete(Self::reset);
        Router::new()
            .route("/faults", faults)
            .with_state(self.clone())
    }

    /// Applies the plan's latency, error rate and nonsense rate to `routes`.
    pub fn guard<S>(&self, routes: Router<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        routes.route_layer(middleware::from_fn_with_state(self.clone(), Self::apply))
    }

    async fn apply(
        State(faults): State<Self>,
        request: Request,
        next: Next,
    ) -> Result<Response, Problem> {
        let (error_rate, nonsense_rate, latency) = faults.current().of_every_stub();
        let latency = Duration::from(latency);
        if !latency.is_zero() {
            count("latencyMs");
            tokio::time::sleep(latency).await;
        }
        let [error, makes_nonsense, is_carried_out, kind] = draw();
        if error_rate.occurs(error) {
            count("errorRate");
            return Err(problem(
                UNAVAILABLE,
                "nothing was done: repeat the request (fault errorRate)",
            ));
        }
        if nonsense_rate.occurs(makes_nonsense) {
            count("nonsenseRate");
            if is_carried_out < 0.5 {
                next.run(request).await;
            }
            return Ok(nonsense::answer(kind));
        }
        Ok(next.run(request).await)
    }
}

/// The handlers of `/faults`.
#[expect(clippy::unused_async, reason = "axum's handlers are async")]
impl<P: Plan> Faults<P> {
    async fn show(State(faults): State<Self>) -> axum::Json<P> {
        axum::Json(faults.current())
    }

    async fn change(
        State(faults): State<Self>,
        JsonBytes(body): JsonBytes,
    ) -> Result<axum::Json<P>, Problem> {
        let mut current = faults.0.lock();
        *current = json::read_with(&body, "the body", Violations::new(true), |fields| {
            current.changed(fields)
        })
        .map_err(unusable)?;
        tracing::info!(faults = ?*current, "faults are set");
        Ok(axum::Json(*current))
    }

    async fn reset(State(faults): State<Self>) -> axum::Json<P> {
        faults.set(P::default());
        tracing::info!("faults are over");
        axum::Json(faults.current())
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use serde_json::json;

    use super::*;
    use crate::testing::Client;

    crate::fault_plan! {
        struct TestPlan {}
    }

    fn client() -> (Client, Faults<TestPlan>) {
        let faults = Faults::default();
        let work = Router::new().route("/work", get(|| async { StatusCode::NO_CONTENT }));
        let app = Router::new()
            .merge(faults.guard(work))
            .merge(faults.routes());
        (Client::new(app), faults)
    }

    #[test]
    fn a_fault_occurs_at_its_rate() {
        for draw in [0.0, 0.5, 1.0_f64.next_down()] {
            assert!(!Rate::NEVER.occurs(draw));
            assert!(Rate::ALWAYS.occurs(draw));
        }
        let quarter = Rate::try_from(0.25).unwrap();
        assert!(quarter.occurs(0.249));
        assert!(!quarter.occurs(0.25));
        assert!(draw::<100>().iter().all(|draw| (0.0..1.0).contains(draw)));
    }

    #[test]
    fn only_numbers_from_zero_to_one_are_rates() {
        for bad in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(Rate::try_from(bad).is_err(), "{bad}");
        }
        assert!(Latency::try_from(600_001).is_err());
    }

    #[tokio::test]
    async fn a_partial_plan_changes_only_the_faults_it_names() {
        let (client, faults) = client();
        let answer = client.put("/faults", json!({"latencyMs": 5})).await;
        assert_eq!(
            (answer.status, answer.body),
            (
                200,
                json!({"errorRate": 0.0, "nonsenseRate": 0.0, "latencyMs": 5})
            )
        );

        client.put("/faults", json!({"errorRate": 0.5})).await;
        let plan = json!({"errorRate": 0.5, "nonsenseRate": 0.0, "latencyMs": 5});
        assert_eq!(client.get("/faults").await.body, plan);

        let answer = client.delete("/faults").await;
        assert_eq!(
            answer.body,
            json!({"errorRate": 0.0, "nonsenseRate": 0.0, "latencyMs": 0})
        );
        assert_eq!(faults.current(), TestPlan::default());
    }

    #[tokio::test]
    async fn a_bad_plan_is_refused_with_the_field_and_changes_nothing() {
        let (client, faults) = client();
        for (plan, field) in [
            (json!({"errorRate": 2}), "errorRate"),
            (json!({"latencyMs": 5, "errorRate": "x"}), "errorRate"),
            (json!({"latencyMs": -1}), "latencyMs"),
            (json!({"latencyMs": 600_001}), "latencyMs"),
            (json!({"errorRat": 1}), "errorRat"),
        ] {
            let answer = client.put("/faults", plan.clone()).await;
            assert_eq!(answer.status, 400, "{plan}");
            assert_eq!(answer.body["field"], field, "{answer:?}");
        }
        assert_eq!(client.put("/faults", json!([])).await.status, 400);
        assert_eq!(faults.current(), TestPlan::default());
    }

    #[tokio::test(start_paused = true)]
    async fn guarded_routes_have_the_latency_and_errors_of_the_plan() {
        let (client, faults) = client();
        assert_eq!(client.get("/work").await.status, 204);

        faults.set(TestPlan {
            error_rate: Rate::ALWAYS,
            latency_ms: Latency(5000),
            ..TestPlan::default()
        });
        let start = tokio::time::Instant::now();
        let answer = client.get("/work").await;
        assert_eq!(answer.status, 503);
        assert_eq!(start.elapsed(), Duration::from_secs(5));
        // `/faults` itself does not fail, so that faults can be removed.
        assert_eq!(client.delete("/faults").await.status, 200);
        assert_eq!(client.get("/work").await.status, 204);
    }

    #[tokio::test]
    async fn nonsense_replaces_the_answer_and_half_of_the_requests_are_carried_out() {
        let faults = Faults::default();
        let done = Arc::new(Mutex::new(0));
        let count = Arc::clone(&done);
        let work = get(move || async move {
            *count.lock() += 1;
            StatusCode::NO_CONTENT
        });
        let client = Client::new(faults.guard(Router::new().route("/work", work)));
        faults.set(TestPlan {
            nonsense_rate: Rate::ALWAYS,
            ..TestPlan::default()
        });
        for _ in 0..100 {
            assert_ne!(client.get("/work").await.status, 204);
        }
        let done = *done.lock();
        assert!((10..=90).contains(&done), "{done} of 100");
    }
}
