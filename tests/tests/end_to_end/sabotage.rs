//! The audit of systems that are really broken: a proxy tampers with the requests to the payment provider.

use audit::{Accepted, Invariant, Notes, Verdict, check};
use domain::Money;
use end_to_end_tests::{Options, PaymentProxy, SOON, System, Tampering, eventually, order};
use serde_json::json;

async fn start(proxy: &PaymentProxy) -> anyhow::Result<System> {
    let flag = format!("--payment-url={}", proxy.url);
    System::start(Options::default().with(&flag)).await
}

/// The verdicts of an audit of a system with one order, once nothing is in progress.
async fn audit_of(system: &System, id: &str) -> anyhow::Result<Vec<Verdict>> {
    let sources = system.sources()?;
    eventually("everything to be at rest", SOON, async || {
        match sources.under_way().await {
            Ok(nothing) if nothing.is_empty() => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let notes = Notes {
        accepted: vec![Accepted {
            order_id: id.parse()?,
            price: Money::from_cents(2350)?,
        }],
        ..Notes::default()
    };
    Ok(check(&sources.collect(notes).await?))
}

fn broken(verdicts: &[Verdict]) -> Vec<Invariant> {
    let broken = verdicts.iter().filter(|verdict| !verdict.holds());
    broken.map(|verdict| verdict.invariant).collect()
}

#[tokio::test]
async fn the_audit_reports_a_double_charge_when_idempotency_keys_are_random() -> anyhow::Result<()>
{
    let proxy = PaymentProxy::start(Tampering::RandomKeys).await?;
    let system = start(&proxy).await?;
    let fails_after_charge = json!({ "errorAfterChargeRate": 1.0 });
    system
        .set_faults("payment-provider", &fails_after_charge)
        .await?;
    system.publish_orders(&[order("twice-1")]).await?;
    eventually("a second charge", SOON, async || {
        match system.ledger().await {
            Ok(ledger) if ledger.len() >= 2 => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    system
        .set_faults("payment-provider", &json!({ "errorAfterChargeRate": 0.0 }))
        .await?;
    system.wait_for_status("twice-1", "DELIVERED").await;

    let broken = broken(&audit_of(&system, "twice-1").await?);
    assert_eq!(broken, [Invariant::ChargedOnce, Invariant::BooksBalance]);
    Ok(())
}

#[tokio::test]
async fn the_audit_reports_a_missing_refund_when_refunds_are_dropped() -> anyhow::Result<()> {
    let proxy = PaymentProxy::start(Tampering::RefundsVanish).await?;
    let system = start(&proxy).await?;
    system
        .set_faults("restaurant-pos", &json!({ "rejectRate": 1.0 }))
        .await?;
    system.publish_orders(&[order("unpaid-1")]).await?;
    system.wait_for_status("unpaid-1", "REJECTED").await;

    let broken = broken(&audit_of(&system, "unpaid-1").await?);
    assert_eq!(broken, [Invariant::BooksBalance]);
    Ok(())
}
