//! The web UI's files and settings, and the headers that protect it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use tower::ServiceExt;
use tower_http::services::ServeDir;

use super::problem::{Problem, kind};
use super::{App, NO_STORE};
use crate::edge::refusals;
use crate::edge::visitor::Visitor;
use crate::model::UiConfig;

/// Where the build puts files whose names change with their content.
const HASHED: &str = "/assets/";

/// The page that is shown while the web UI is not built.
const NOT_BUILT: &str = include_str!("not_built.html");

/// The web UI's configuration
#[utoipa::path(
    get,
    path = "/api/config",
    operation_id = "getConfig",
    tag = "restaurants",
    responses((status = 200, description = "What the operators of this installation have configured.", body = UiConfig))
)]
pub(super) async fn config(State(app): State<Arc<App>>, visitor: Visitor) -> Response {
    let mut ui = app.ui.clone();
    if !visitor.is_operator() {
        // It is an internal address.
        ui.restate_ui = None;
    }
    let caching = [(header::CACHE_CONTROL, "no-cache, private")];
    (caching, Json(ui)).into_response()
}

/// The files of the web UI, if it is here.
pub(super) struct Files(Option<Directory>);

struct Directory {
    path: PathBuf,
    serve: ServeDir,
}

impl Files {
    /// The files of the built web UI in this directory, which may be built later.
    pub(super) fn new(directory: Option<&Path>) -> Self {
        Self(directory.map(|directory| {
            Directory {
                path: directory.to_owned(),
                serve: ServeDir::new(directory)
                    .precompressed_br()
                    .precompressed_gzip(),
            }
        }))
    }

    /// Answers a request that matches no route.
    pub(super) async fn answer(&self, request: Request) -> Response {
        let (method, path) = (request.method(), request.uri().path());
        let is_api = path == "/api" || path.starts_with("/api/");
        // Directories with files that are not pages, such as the build's manifest.
        let is_hidden = path.split('/').any(|segment| segment.starts_with('.'));
        if is_api || is_hidden || (method != Method::GET && method != Method::HEAD) {
            return nothing(path);
        }
        let path = path.to_owned();
        let (mut parts, _) = request.into_parts();
        // The files are small, and `ServeDir` knows neither `If-Range` nor when a range is to be ignored.
        parts.headers.remove(header::RANGE);
        let (wants_page, request) = (wants_page(&parts.headers), Request::from_parts(parts, ()));
        if let Some(response) = self.file(request.clone()).await {
            return response;
        }
        // The UI itself routes every other path of a page.
        if wants_page && !path.starts_with(HASHED) {
            let mut request = request;
            *request.uri_mut() = Uri::from_static("/");
            let not_built = || (StatusCode::NOT_FOUND, NO_STORE, Html(NOT_BUILT)).into_response();
            return self.file(request).await.unwrap_or_else(not_built);
        }
        nothing(&path)
    }

    /// The requested file, if there is one.
    async fn file(&self, request: Request<()>) -> Option<Response> {
        let caching = if request.uri().path().starts_with(HASHED) {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        let directory = self.0.as_ref()?;
        if !directory.holds(request.uri().path()).await {
            refusals::count("file-outside");
            return None;
        }
        let serve = directory.serve.clone();
        let response = match serve.oneshot(request.map(|()| Body::empty())).await {
            Ok(response) if response.status() == StatusCode::NOT_FOUND => return None,
            Ok(response) => response,
            Err(never) => match never {},
        };
        let is_well =
            response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
        let mut response = response.map(Body::new);
        let headers = response.headers_mut();
        let caching = if is_well { caching } else { "no-store" };
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        headers.remove(header::ACCEPT_RANGES);
        Some(response)
    }
}

impl Directory {
    /// Whether the file at this path, if there is one, lies in the directory: a link may lead out of it.
    ///
    /// `ServeDir` itself refuses paths with `..`.
    async fn holds(&self, path: &str) -> bool {
        let Ok(root) = tokio::fs::canonicalize(&self.path).await else {
            return true;
        };
        let Ok(path) = percent_decode_str(path).decode_utf8() else {
            return true;
        };
        let file = self.path.join(path.trim_start_matches('/'));
        for page in ["", "/index.html"] {
            for coding in ["", ".br", ".gz"] {
                let mut file = file.clone().into_os_string();
                file.push(page);
                file.push(coding);
                if let Ok(real) = tokio::fs::canonicalize(file).await
                    && !real.starts_with(&root)
                {
                    return false;
                }
            }
        }
        true
    }
}

/// Whether a browser opens a page, rather than fetching a script or a picture for one.
fn wants_page(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/html"))
}

fn nothing(path: &str) -> Response {
    let detail = format!("there is no {path}: /api/openapi.json lists what exists");
    Problem::new(kind::NOT_FOUND, detail).into_response()
}

/// The origin of the map's tiles, as a source in a content security policy; `None` if the URL is invalid.
pub(super) fn tile_source(url: &str) -> Option<String> {
    if url.starts_with('/') && !url.starts_with("//") {
        return Some("'self'".to_owned());
    }
    // `{s}` stands for one of several servers. No real host name has a label `s-of-many`.
    let parsed = Url::parse(&url.replace("{s}", "s-of-many")).ok()?;
    let host = parsed
        .host_str()
        .filter(|_| ["http", "https"].contains(&parsed.scheme()))?;
    let host = match host.strip_prefix("s-of-many.") {
        Some(rest) => format!("*.{rest}"),
        None => host.to_owned(),
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._[]:*".contains(c);
    if host.contains("s-of-many") || !host.chars().all(is_plain) {
        return None;
    }
    let port = parsed
        .port()
        .map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{}://{host}{port}", parsed.scheme()))
}

/// The headers of every answer.
pub(super) fn security_headers(tile_source: Option<&str>) -> Vec<(HeaderName, HeaderValue)> {
    let tiles = match tile_source {
        Some("'self'") | None => String::new(),
        Some(source) => format!(" {source}"),
    };
    let policy = format!(
        "default-src 'self'; img-src 'self' data:{tiles}; connect-src 'self'; style-src 'self'; script-src 'self'; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
    );
    // `tile_source` contains only harmless characters.
    let policy = HeaderValue::try_from(policy)
        .unwrap_or_else(|_| HeaderValue::from_static("default-src 'self'"));
    let others = [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        (
            "permissions-policy",
            "geolocation=(self), camera=(), microphone=(), payment=(), usb=(), serial=(), bluetooth=(), midi=(), \
             display-capture=(), browsing-topics=()",
        ),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    std::iter::once((header::CONTENT_SECURITY_POLICY, policy))
        .chain(others.map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_origin_of_the_tiles_is_allowed() {
        for (url, source) in [
            (
                "https://tile.example.org/{z}/{x}/{y}.png",
                Some("https://tile.example.org"),
            ),
            (
                "https://{s}.tiles.example:8443/{z}/{x}/{y}",
                Some("https://*.tiles.example:8443"),
            ),
            (
                "http://127.0.0.1:8081/{z}/{x}/{y}.png?key=a;b",
                Some("http://127.0.0.1:8081"),
            ),
            ("/tiles/{z}/{x}/{y}.png", Some("'self'")),
            ("//elsewhere/{z}", None),
            ("data:image/png", None),
            ("https://a{s}b.example/{z}", None),
            ("tiles", None),
            ("", None),
        ] {
            assert_eq!(tile_source(url).as_deref(), source, "{url}");
        }
    }
}
