//! The restaurants of the shop.

use axum::body::Body;
use serde_json::json;

use super::{Gateway, request};

#[tokio::test]
async fn the_restaurants_come_with_menus_prices_and_places() {
    let gateway = Gateway::new().await;
    let answer = gateway.get("/api/restaurants").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["cache-control"], "public, max-age=60");
    // Everything that the domain knows about them is in the answer.
    let catalogue = serde_json::to_value(domain::restaurant::catalogue()).unwrap();
    assert_eq!(answer.body, catalogue);
    assert_eq!(answer.body.as_array().unwrap().len(), 3);
    assert_eq!(answer.body[0]["menu"][0]["price"], json!(12.5));
}

#[tokio::test]
async fn one_restaurant_can_be_read() {
    let gateway = Gateway::new().await;
    let all = gateway.get("/api/restaurants").await;
    let answer = gateway.get("/api/restaurants/la-piazza").await;
    assert_eq!((answer.status, &answer.body), (200, &all.body[0]));
    for id in ["elsewhere", "a%20b", "%ff"] {
        let answer = gateway.get(&format!("/api/restaurants/{id}")).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (404, "restaurant-not-found")
        );
    }
}

#[tokio::test]
async fn a_menu_that_has_not_changed_is_not_sent_again() {
    let gateway = Gateway::new().await;
    for path in ["/api/restaurants", "/api/restaurants/la-piazza"] {
        let etag = gateway.get(path).await.headers["etag"]
            .to_str()
            .unwrap()
            .to_owned();
        for (known, status) in [
            (etag.clone(), 304),
            (format!("\"other\", W/{etag}"), 304),
            ("*".to_owned(), 304),
            ("\"other\"".to_owned(), 200),
        ] {
            let request = request("GET", path).header("if-none-match", &known);
            let answer = gateway.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, status, "{known}");
            assert_eq!(answer.headers["etag"], etag);
            assert_eq!(answer.body.is_null(), status == 304);
        }
    }
}
