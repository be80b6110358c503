//! Orders placed over HTTP.

use end_to_end_tests::{Options, System, order, order_with};
use serde_json::{Value, json};

#[tokio::test]
async fn an_order_placed_over_http_is_accepted_followed_and_delivered() -> anyhow::Result<()> {
    let system = System::start(Options::default()).await?;

    let (code, restaurants) = system.get("/api/restaurants").await?;
    assert!(
        code.is_success() && restaurants.as_array().is_some_and(|all| all.len() == 3),
        "{restaurants}"
    );

    let (code, accepted) = system
        .post("/api/orders", &order_with("x", "orderId", Value::Null))
        .await?;
    assert_eq!(code, 202, "{accepted}");
    let id = accepted["orderId"].as_str().expect("an id").to_owned();
    system.wait_for_status(&id, "DELIVERED").await;
    let (code, seen) = system.get(&format!("/api/orders/{id}")).await?;
    assert!(
        code.is_success() && seen["status"] == "DELIVERED",
        "{code}: {seen}"
    );

    let (code, problem) = system
        .post(
            "/api/orders",
            &order_with("bad", "totalCost", json!("free")),
        )
        .await?;
    assert_eq!(code, 422, "{problem}");
    assert_eq!(problem["errors"][0]["field"], "totalCost", "{problem}");
    let (code, problem) = system.get("/api/orders/never-ordered").await?;
    assert_eq!(code, 404, "{problem}");
    let (code, ready) = system.get("/ready").await?;
    assert!(code.is_success(), "{ready}");
    Ok(())
}

#[tokio::test]
async fn accepted_orders_survive_a_stop_of_the_whole_system() -> anyhow::Result<()> {
    let mut system = System::start(Options::default().with("--preparation-time=1s")).await?;
    for n in 0..20 {
        let (code, answer) = system
            .post("/api/orders", &order(&format!("accepted-{n}")))
            .await?;
        assert_eq!(code, 202, "{answer}");
    }
    system.stop().await?;
    system.start_again().await?;
    for n in 0..20 {
        system
            .wait_for_status(&format!("accepted-{n}"), "DELIVERED")
            .await;
    }
    Ok(())
}
