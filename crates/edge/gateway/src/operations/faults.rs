//! Calls to the stubs' fault switches.

use std::time::Duration;

use axum::body::Bytes;
use domain::json::Violation;
use order_workflow::ThirdPartyUrls;
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde_json::Value;
use upstream::http;

/// How long a stub has to answer. Its switches answer at once, whatever faults are set.
const WITHIN: Duration = Duration::from_secs(5);

/// Calls the stubs.
pub(crate) struct Stubs {
    client: Client,
    restaurant: Url,
    payment: Url,
}

/// Why a stub's faults could not be read or set.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The stub says what is wrong with the request.
    #[error("{0}")]
    Refused(Violation),
    /// The stub does not answer, or its answer is invalid.
    #[error("{0}")]
    Unavailable(String),
}

impl Stubs {
    /// The stubs at these base URLs.
    pub(crate) fn new(urls: &ThirdPartyUrls) -> Result<Self, crate::Error> {
        let url = |base: &str| {
            Url::parse(&format!("{}/faults", base.trim_end_matches('/')))
                .ok()
                .filter(Url::has_host)
                .ok_or_else(|| crate::Error::StubUrl(base.to_owned()))
        };
        Ok(Self {
            client: http::client(WITHIN).build()?,
            restaurant: url(&urls.restaurant_url)?,
            payment: url(&urls.payment_url)?,
        })
    }

    /// The URL of the faults of the stub with this name, if there is one.
    pub(crate) fn faults_of(&self, name: &str) -> Option<Url> {
        match name {
            "restaurant" => Some(self.restaurant.clone()),
            "payment" => Some(self.payment.clone()),
            _ => None,
        }
    }

    /// The faults of a stub.
    pub(crate) async fn get(&self, faults: Url) -> Result<Value, Error> {
        send(self.client.get(faults)).await
    }

    /// Sets the faults that `wish`, a JSON object, names; returns all faults.
    pub(crate) async fn put(&self, faults: Url, wish: Bytes) -> Result<Value, Error> {
        let request = self.client.put(faults).body(wish);
        send(request.header("content-type", "application/json")).await
    }
}

async fn send(request: RequestBuilder) -> Result<Value, Error> {
    let unavailable = |error: http::Error| Error::Unavailable(error.to_string());
    let response = (request.send().await).map_err(|error| unavailable(error.into()))?;
    let status = response.status();
    let body = http::body(response, http::SHORT)
        .await
        .map_err(unavailable)?;
    let body: Value = serde_json::from_slice(&body)
        .map_err(|_| Error::Unavailable(format!("the stub answers {status} without JSON")))?;
    match status {
        StatusCode::OK => Ok(body),
        status if status.is_client_error() => {
            let text = |name: &str| body[name].as_str().map(str::to_owned);
            let without = || format!("the stub answers {status} without a reason");
            Err(Error::Refused(Violation::new(
                text("field").unwrap_or_default(),
                text("detail").unwrap_or_else(without),
            )))
        }
        status => Err(Error::Unavailable(format!("the stub answers {status}"))),
    }
}
