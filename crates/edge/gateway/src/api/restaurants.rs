//! The restaurants of the shop.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::App;
use super::problem::{Problem, kind};
use super::responses::problems;
use crate::model::Restaurant;
use crate::shop::Page;

/// All restaurants with their menus
#[utoipa::path(
    get,
    path = "/api/restaurants",
    operation_id = "listRestaurants",
    tag = "restaurants",
    params(("if-none-match" = Option<String>, Header, description = "The `etag` of an earlier answer.", nullable = false)),
    responses(
        (status = 200, description = "The restaurants.", body = Vec<Restaurant>,
            headers(("etag" = String, description = "Changes with the content."))),
        (status = 304, description = "Nothing has changed."),
    )
)]
pub(super) async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    answer(app.shop.list(), &headers)
}

/// One restaurant with its menu
#[utoipa::path(
    get,
    path = "/api/restaurants/{restaurantId}",
    operation_id = "getRestaurant",
    tag = "restaurants",
    params(
        ("restaurantId" = String, Path, description = "The restaurant's id."),
        ("if-none-match" = Option<String>, Header, description = "The `etag` of an earlier answer.", nullable = false),
    ),
    responses(
        (status = 200, description = "The restaurant.", body = Restaurant,
            headers(("etag" = String, description = "Changes with the content."))),
        (status = 304, description = "Nothing has changed."),
        NoRestaurant,
    )
)]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    path.ok()
        .and_then(|Path(id)| app.shop.page(&id.parse().ok()?))
        .map(|page| answer(page, &headers))
        .ok_or_else(|| {
            let detail = "/api/restaurants lists the restaurants of this shop";
            Problem::new(kind::RESTAURANT_NOT_FOUND, detail)
        })
}

/// The page, or 304 if the client has it already.
fn answer(page: &Page, headers: &HeaderMap) -> Response {
    let caching = [
        (header::ETAG, page.etag.as_str()),
        (header::CACHE_CONTROL, "public, max-age=60"),
    ];
    if is_known(page, headers) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    (caching, content_type, page.body.clone()).into_response()
}

/// Whether the client has this page already, by the weak comparison of RFC 9110, section 13.1.2.
fn is_known(page: &Page, headers: &HeaderMap) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == page.etag)
}

problems! {
    /// The restaurant is not found.
    NoRestaurant {
        404: "There is no such restaurant here.",
    }
}
