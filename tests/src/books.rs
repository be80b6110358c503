//! Invariants that must hold after all orders have ended, checked against the stub's books and the runtime's state.

use std::collections::BTreeMap;

use domain::Money;
use serde_json::Value;

use crate::{SOON, System, eventually};

/// The charges and refunds of an order: their number, and their sum in cents.
#[derive(Debug, Default, PartialEq, Eq)]
struct Account {
    charges: u32,
    charged: i64,
    refunds: u32,
    refunded: i64,
}

/// Checks that each of `orders` was charged at most once, and that charges minus refunds are the price (in cents) for delivered
/// orders and zero for the others. Waits for refunds that are still under way.
///
/// # Panics
/// If the books do not balance.
pub async fn assert_books_balance(system: &System, orders: &[String], price: i64) {
    eventually("the books to balance", SOON, async || {
        let accounts = accounts(&system.ledger().await.map_err(|error| error.to_string())?);
        for order in orders {
            let status = system
                .order_status(order)
                .await
                .map_err(|error| error.to_string())?;
            let expected = if status["status"] == "DELIVERED" {
                price
            } else {
                0
            };
            let none = Account::default();
            let account = accounts.get(order).unwrap_or(&none);
            assert!(
                account.charges <= 1 && account.refunds <= 1,
                "{order}: {account:?}"
            );
            if account.charged - account.refunded != expected {
                return Err(format!("{order} is {}: {account:?}", status["status"]));
            }
        }
        Ok(())
    })
    .await;
}

fn accounts(ledger: &[Value]) -> BTreeMap<String, Account> {
    let mut accounts = BTreeMap::<String, Account>::new();
    for entry in ledger {
        let order = entry["orderId"].as_str().expect("an entry names its order");
        let amount: Money = entry["amount"]
            .to_string()
            .parse()
            .expect("an entry has an amount");
        let account = accounts.entry(order.to_owned()).or_default();
        match entry["kind"].as_str() {
            Some("CHARGE") => {
                account.charges += 1;
                account.charged += amount.cents();
            }
            Some("REFUND") => {
                account.refunds += 1;
                account.refunded += amount.cents();
            }
            other => panic!("unknown kind {other:?}"),
        }
    }
    accounts
}

/// Checks that no driver holds a delivery, no delivery is under way, no delivery is queued, and no invocation fails.
///
/// # Panics
/// If anything is left after [`SOON`].
pub async fn assert_nothing_left_behind(system: &System) {
    let queries = [
        "select service_name, service_key, value_utf8 from state where key in ('assigned-delivery', 'delivery-info')",
        "select service_name, service_key, value_utf8 from state where key = 'pending-deliveries'",
        "select target, status, last_failure from sys_invocation where last_failure is not null and status != 'completed'",
    ];
    eventually("nothing to be left behind", SOON, async || {
        for query in queries {
            let rows = system.sql(query).await.map_err(|error| error.to_string())?;
            if !rows.is_empty() {
                return Err(format!("{query}: {rows:?}"));
            }
        }
        Ok(())
    })
    .await;
}
