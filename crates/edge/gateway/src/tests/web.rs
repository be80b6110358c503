//! The web UI's files, and the headers that protect it.

use std::fs;

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use serde_json::json;
use tempfile::TempDir;

use super::{Gateway, HERE, TestRestate, from, good, request};
use crate::Options;

fn config() -> Options {
    Options::new("127.0.0.1:9", "http://127.0.0.1:9")
}

/// A gateway with a built web UI.
async fn with_ui() -> (Gateway, TempDir) {
    let dist = tempfile::tempdir().unwrap();
    fs::create_dir_all(dist.path().join("assets")).unwrap();
    fs::create_dir_all(dist.path().join(".vite")).unwrap();
    for (name, content) in [
        ("index.html", "<title>Tiffin</title>"),
        ("theme.js", "theme"),
        ("assets/main-abc.js", "script"),
        ("assets/main-abc.js.gz", "squeezed"),
        (".vite/manifest.json", "{}"),
    ] {
        fs::write(dist.path().join(name), content).unwrap();
    }
    let mut config = config();
    config.web_ui.files = Some(dist.path().to_owned());
    (
        Gateway::configured(TestRestate::default(), &config).await,
        dist,
    )
}

/// Status, cache-control, content-type and body.
async fn fetch(gateway: &Gateway, request: Request<Body>) -> (u16, String, String, String) {
    let response = gateway.open(request).await;
    let header = |name: &str| {
        let value = response.headers().get(name);
        value.map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    };
    let (caching, content_type) = (header("cache-control"), header("content-type"));
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (
        status,
        caching,
        content_type,
        String::from_utf8(body.to_vec()).unwrap(),
    )
}

fn page(path: &str) -> Request<Body> {
    request("GET", path)
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        .body(Body::empty())
        .unwrap()
}

fn asset(path: &str) -> Request<Body> {
    request("GET", path)
        .header("accept", "*/*")
        .body(Body::empty())
        .unwrap()
}

#[tokio::test]
async fn pages_are_always_fresh_and_hashed_files_are_kept_for_ever() {
    let (gateway, _dist) = with_ui().await;
    for request in [
        page("/"),
        asset("/"),
        page("/orders/order-1"),
        page("/operations?x=1"),
    ] {
        let (status, caching, content_type, body) = fetch(&gateway, request).await;
        assert_eq!((status, caching.as_str()), (200, "no-cache"));
        assert_eq!(content_type, "text/html");
        assert_eq!(body, "<title>Tiffin</title>");
    }
    let (status, caching, content_type, body) = fetch(&gateway, asset("/assets/main-abc.js")).await;
    assert_eq!((status, body.as_str()), (200, "script"));
    assert_eq!(caching, "public, max-age=31536000, immutable");
    assert_eq!(content_type, "text/javascript");
    let (_, caching, _, _) = fetch(&gateway, asset("/theme.js")).await;
    assert_eq!(caching, "no-cache");
}

#[tokio::test]
async fn clients_that_accept_gzip_get_the_compressed_files() {
    let (gateway, _dist) = with_ui().await;
    let mut request = asset("/assets/main-abc.js");
    let gzip = "gzip, deflate".parse().unwrap();
    request.headers_mut().insert("accept-encoding", gzip);
    let response = gateway.open(request).await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(response.headers()["vary"], "accept-encoding");
}

#[tokio::test]
async fn files_are_always_sent_whole() {
    let (gateway, _dist) = with_ui().await;
    for (name, value) in [
        ("range", "bytes=0-1"),
        ("range", "bytes=0-1,3-4"),
        ("range", "bytes=99-"),
        ("range", "lines=1-2"),
        ("if-range", "\"an earlier version\""),
    ] {
        let mut request = asset("/theme.js");
        (request.headers_mut()).insert("range", "bytes=2-3".parse().unwrap());
        request.headers_mut().insert(name, value.parse().unwrap());
        let (status, _, _, body) = fetch(&gateway, request).await;
        assert_eq!((status, body.as_str()), (200, "theme"), "{name}: {value}");
    }
}

#[tokio::test]
async fn what_is_neither_a_page_nor_a_file_is_not_found() {
    let (gateway, _dist) = with_ui().await;
    for request in [
        asset("/assets/main-old.js"),
        page("/assets/main-old.js"),
        asset("/favicon.ico"),
        page("/.vite/manifest.json"),
        page("/../Cargo.toml"),
        page("/%2e%2e/Cargo.toml"),
        page("/api/nothing"),
        page("/api"),
        request("POST", "/orders").body(Body::empty()).unwrap(),
    ] {
        let path = request.uri().to_string();
        let (status, caching, content_type, body) = fetch(&gateway, request).await;
        if path.starts_with("/%2e") {
            // Possibly a page of the UI, but never a file from outside.
            assert!(!body.contains("[package]"));
            continue;
        }
        assert_eq!((status, caching.as_str()), (404, "no-store"), "{path}");
        assert_eq!(content_type, "application/problem+json", "{path}");
    }
}

#[tokio::test]
async fn while_the_ui_is_not_built_a_page_says_so_and_how_to_build_it() {
    let mut nowhere = config();
    nowhere.web_ui.files = Some("/nowhere/webui/dist".into());
    for config in [config(), nowhere] {
        let gateway = Gateway::configured(TestRestate::default(), &config).await;
        let (status, _, content_type, body) = fetch(&gateway, page("/")).await;
        assert_eq!(
            (status, content_type.as_str()),
            (404, "text/html; charset=utf-8")
        );
        assert!(body.contains("npm --prefix webui run build"));
        let (status, _, content_type, _) = fetch(&gateway, asset("/")).await;
        assert_eq!(
            (status, content_type.as_str()),
            (404, "application/problem+json")
        );
    }
}

#[tokio::test]
async fn every_answer_has_the_security_headers() {
    let (gateway, _dist) = with_ui().await;
    for request in [
        page("/"),
        asset("/health"),
        asset("/api/nothing"),
        asset("/api/orders"),
    ] {
        let response = gateway.open(request).await;
        let headers = response.headers();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert_eq!(
            policy,
            "default-src 'self'; img-src 'self' data:; connect-src 'self'; style-src 'self'; script-src 'self'; \
             frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"
        );
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "same-origin");
        assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
        assert!(
            headers["permissions-policy"]
                .to_str()
                .unwrap()
                .contains("camera=()")
        );
    }
}

#[tokio::test]
async fn the_uis_settings_are_served_and_only_the_tiles_origin_is_allowed() {
    let gateway = Gateway::configured(TestRestate::default(), &config()).await;
    let answer = gateway.get("/api/config").await;
    assert_eq!(
        answer.body,
        json!({"restateUi": null, "tileUrl": null, "tileAttribution": null})
    );
    let mut config = config();
    config.restate_ui = Some("http://127.0.0.1:9070".to_owned());
    config.web_ui.tile_url = Some("https://{s}.tiles.example/{z}/{x}/{y}.png".to_owned());
    config.web_ui.tile_attribution = Some(String::new());
    let gateway = Gateway::configured(TestRestate::default(), &config).await;
    let answer = gateway.get("/api/config").await;
    assert_eq!(
        answer.body,
        json!({"restateUi": "http://127.0.0.1:9070", "tileUrl": config.web_ui.tile_url, "tileAttribution": null})
    );
    let policy = answer.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("img-src 'self' data: https://*.tiles.example; connect-src 'self';"));
}

#[tokio::test]
async fn pages_of_other_sites_cannot_change_anything() {
    let gateway = Gateway::new().await;
    let said = json!({"accepted": true, "status": "CANCELLED"});
    gateway.restate.answers_cancel("order-1", 200, said);
    let cancel = |headers: &[(&str, &str)]| {
        let mut request = request("POST", "/api/orders/order-1/cancel");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        gateway.send(from(HERE, request.body(Body::empty()).unwrap()))
    };
    for foreign in [
        &[("sec-fetch-site", "cross-site")][..],
        &[
            ("sec-fetch-site", "same-site"),
            ("origin", "http://localhost:8000"),
            ("host", "localhost:3000"),
        ],
        &[
            ("origin", "https://evil.example"),
            ("host", "localhost:3000"),
        ],
    ] {
        let answer = cancel(foreign).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (403, "cross-site-request"),
            "{foreign:?}"
        );
    }
    assert!(gateway.restate.calls.lock().unwrap().is_empty());
    for own in [
        &[][..],
        &[("sec-fetch-site", "same-origin")],
        &[
            ("origin", "http://localhost:3000"),
            ("host", "localhost:3000"),
        ],
    ] {
        assert_eq!(cancel(own).await.status, 200, "{own:?}");
    }
    let order = request("POST", "/api/orders")
        .header("content-type", "application/json")
        .header("sec-fetch-site", "cross-site")
        .body(Body::from(good().to_string()));
    assert_eq!(gateway.send(order.unwrap()).await.status, 403);
}

#[tokio::test]
async fn links_that_lead_out_of_the_directory_are_not_followed() {
    let (gateway, dist) = with_ui().await;
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret.js"), "secret").unwrap();
    let link = |to: &str, from: &str| {
        let to = if to.is_empty() {
            outside.path().to_owned()
        } else {
            outside.path().join(to)
        };
        std::os::unix::fs::symlink(to, dist.path().join(from)).unwrap();
    };
    link("secret.js", "assets/out.js");
    link("secret.js", "theme.js.gz");
    link("", "other");
    std::os::unix::fs::symlink("main-abc.js", dist.path().join("assets/inside.js")).unwrap();
    for path in [
        "/assets/out.js",
        "/theme.js",
        "/other/secret.js",
        "/other",
        "/assets/out%2ejs",
    ] {
        let (status, _, _, body) = fetch(&gateway, asset(path)).await;
        assert_eq!(status, 404, "{path}: {body}");
    }
    let (status, _, _, body) = fetch(&gateway, asset("/assets/inside.js")).await;
    assert_eq!((status, body.as_str()), (200, "script"));
}
