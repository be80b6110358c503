//! The rules: what a change does to the stored record of an order. Pure code, without the runtime.

use domain::order::Content;
use domain::{DriverId, Money, OrderId, Status, StatusEvent};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Input of `create`. Workflows of earlier versions send no input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewOrder {
    /// A fingerprint of the order, which distinguishes it from another order with the same id.
    pub content: Content,
    /// The amount that the customer is charged, and that may have to be refunded.
    pub price: Money,
}

/// A requested change: the input of `setStatus`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// The new status.
    pub status: Status,
    /// Why the order is rejected or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The expected arrival in ms since the epoch, if this change comes with a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta: Option<i64>,
    /// The driver who has the order from now on, if this change assigns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_id: Option<DriverId>,
    /// Change only an order that was never accepted; leave an accepted order alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_if_unknown: bool,
    /// The price of a new order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    /// Whether nothing of the order is left to undo.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_settled: bool,
    /// The invocation of an earlier change may have been killed after it published the change and before it stored it. So this
    /// change skips that version, and no version ever has two contents.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_repair: bool,
}

impl Change {
    /// A change to `status` and nothing else.
    #[must_use]
    pub fn to(status: Status) -> Self {
        Self {
            status,
            reason: None,
            eta: None,
            driver_id: None,
            only_if_unknown: false,
            price: None,
            is_settled: false,
            is_repair: false,
        }
    }

    /// The first change of an order.
    #[must_use]
    pub fn created(price: Option<Money>) -> Self {
        Self {
            price,
            ..Self::to(Status::Created)
        }
    }

    /// The refusal of an invalid event. It never touches an accepted order, whoever sent the event.
    #[must_use]
    pub fn refused_unread(reason: impl Into<String>) -> Self {
        Self {
            only_if_unknown: true,
            ..Self::ended(Status::Rejected, reason)
        }
    }

    /// A change to `REJECTED` or `CANCELLED`, with the reason.
    #[must_use]
    pub fn ended(status: Status, reason: impl Into<String>) -> Self {
        Self {
            reason: Some(reason.into()),
            ..Self::to(status)
        }
    }

    /// The same change, for an order with nothing left to undo.
    #[must_use]
    pub fn settled(self) -> Self {
        Self {
            is_settled: true,
            ..self
        }
    }

    /// The same change, for an order whose invocations may have been killed.
    #[must_use]
    pub fn after_kill(self) -> Self {
        Self {
            is_repair: true,
            ..self
        }
    }
}

/// An order that claims an id: the input of `claim`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdClaim {
    /// The fingerprint of the order.
    pub content: Content,
    /// Who claims the id for the order.
    pub claimant: Claimant,
}

/// Who claims an id for an order. This decides what the answer may reveal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Claimant {
    /// The topic `orders`, or an operator.
    Trusted,
    /// A customer who has the key of the order.
    KeyHolder,
    /// Anyone else, over HTTP without a key: an ordering provider, or a stranger who knows the id.
    Anyone,
}

/// The answer of `claim`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdClaimAnswer {
    /// Whether the id belongs to the order, because it was free or the same order had claimed it before.
    pub granted: bool,
}

/// State key `order-content`: the order to which the id belongs. It is kept for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) content: Content,
    /// Whether a customer has shown the order's key. If so, the answer to others does not reveal whether an order has the same
    /// content: otherwise a stranger could find out by guessing what was ordered.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) has_key: bool,
}

impl Holder {
    /// The result of `claim`; `None` if the id belongs to another order. `record` is the order's record, and `holder` the present
    /// holder of the id.
    pub(crate) fn after(
        record: Option<&Record>,
        holder: Option<&Self>,
        claim: IdClaim,
    ) -> Option<Granted> {
        let IdClaim { content, claimant } = claim;
        let has_key = claimant == Claimant::KeyHolder;
        match holder {
            Some(holder)
                if holder.content != content
                    || (holder.has_key && claimant == Claimant::Anyone) =>
            {
                None
            }
            Some(holder) if holder.has_key || !has_key => Some(Granted::AsBefore),
            // An order from before contents were stored. Any order with its id counts as the same.
            None if record.is_some_and(|record| !record.refused_unread) => Some(Granted::AsBefore),
            // The id is free, or the customer shows the key for the first time.
            _ => Some(Granted::To(Self { content, has_key })),
        }
    }
}

/// A granted claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Granted {
    /// The id belonged to this order before; nothing has to be stored.
    AsBefore,
    /// This holder has to be stored.
    To(Holder),
}

/// The answer of `create` and `setStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Whether the change was made.
    pub applied: bool,
    /// The order's status now.
    pub status: Status,
    /// Whether the id belongs to another order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub taken: bool,
    /// The price of the order, unless it is certain that nothing is left to undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsettled: Option<Money>,
}

/// The answer of `get`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderStatus {
    /// The order's id.
    pub order_id: OrderId,
    /// The status; [`Status::New`] for an order that was never created.
    pub status: Status,
    /// The expected arrival in ms since the epoch, while it is known.
    pub eta: Option<i64>,
    /// How many changes there were.
    pub version: u64,
    /// Why the order was rejected or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The driver who has the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver_id: Option<DriverId>,
    /// Whether the order is delayed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delayed: bool,
    /// Every status the order has had, oldest first.
    pub history: Vec<HistoryEntry>,
}

/// A status that an order has had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The status.
    pub status: Status,
    /// When the order got this status, in ms since the epoch.
    pub at: i64,
    /// The version of that change.
    pub version: u64,
    /// Why the order was rejected or cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// State key `order-status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Record {
    pub(crate) status: Status,
    pub(crate) version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) driver_id: Option<DriverId>,
    /// The expected arrival, repeated here so that a change has to read one key less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) eta: Option<i64>,
    /// Whether the order is delayed, and the delay was published.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) delayed: bool,
    /// Whether the order was rejected because its event was invalid, so that a corrected event may still create it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) refused_unread: bool,
    /// The price of the order, from its creation until it is delivered or everything is undone. If an order has this but no
    /// workflow, its workflow was killed: that is how `settle` finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) unsettled: Option<Money>,
}

impl Record {
    /// The status of an order with this record; `NEW` without a record.
    pub(crate) fn status_of(record: Option<&Self>) -> Status {
        record.map_or(Status::New, |record| record.status)
    }

    /// The answer to a change. `record` is the order's record after it.
    pub(crate) fn outcome(record: Option<&Self>, applied: bool) -> Outcome {
        Outcome {
            applied,
            status: Self::status_of(record),
            unsettled: record.and_then(|record| record.unsettled),
            taken: false,
        }
    }

    /// The record after `change`, or `None` if the change is refused.
    pub(crate) fn after(record: Option<&Self>, change: &Change) -> Option<Self> {
        let status = match record {
            Some(Self {
                refused_unread: true,
                ..
            }) => Status::New,
            record => Self::status_of(record),
        };
        let repeated_refusal =
            record.is_some() && status == Status::New && change.status == Status::Rejected;
        let known = change.only_if_unknown && status != Status::New;
        let another_driver = status == Status::WaitingForDriver
            && change.status == status
            && change.driver_id.is_some()
            && record.is_some_and(|record| record.driver_id != change.driver_id || record.delayed);
        if known || repeated_refusal || !(another_driver || status.may_become(change.status)) {
            return None;
        }
        let left_out = u64::from(change.is_repair);
        let is_settled = change.is_settled || change.status == Status::Delivered;
        Some(Self {
            status: change.status,
            version: record.map_or(0, |record| record.version) + left_out + 1,
            reason: change.reason.clone(),
            driver_id: change
                .driver_id
                .clone()
                .or_else(|| record.and_then(|record| record.driver_id.clone())),
            eta: change
                .eta
                .or_else(|| record.and_then(|record| record.eta))
                .filter(|_| !matches!(change.status, Status::Rejected | Status::Cancelled)),
            delayed: false,
            refused_unread: status == Status::New && change.status == Status::Rejected,
            unsettled: (change.price)
                .or_else(|| record.and_then(|record| record.unsettled))
                .filter(|_| !is_settled),
        })
    }

    /// The record of an ended order after everything is undone; `None` if that is recorded already, or the order has not ended.
    pub(crate) fn once_settled(self) -> Option<Self> {
        (self.unsettled.is_some() && self.status.is_terminal()).then_some(Self {
            unsettled: None,
            ..self
        })
    }

    /// The record after the expected arrival has changed; `None` if the order has ended or does not exist.
    pub(crate) fn after_new_eta(record: Option<&Self>, eta: i64) -> Option<Self> {
        let record = record.filter(|record| !record.status.is_terminal())?;
        Some(Self {
            version: record.version + 1,
            eta: Some(eta),
            delayed: false,
            ..record.clone()
        })
    }

    /// The record of an order that is delayed; `None` if that is recorded already, or the order has ended or does not exist.
    pub(crate) fn after_delay(record: Option<&Self>) -> Option<Self> {
        let record = record.filter(|record| !record.status.is_terminal() && !record.delayed)?;
        Some(Self {
            version: record.version + 1,
            delayed: true,
            ..record.clone()
        })
    }

    pub(crate) fn event(&self, order_id: OrderId, at: i64) -> StatusEvent {
        StatusEvent {
            order_id,
            status: self.status,
            eta: self.eta,
            version: self.version,
            at,
            reason: self.reason.clone(),
            driver_id: self.driver_id.clone(),
            delayed: self.delayed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refused() -> Record {
        Record::after(None, &Change::refused_unread("no price")).unwrap()
    }

    #[test]
    fn an_order_is_created_once() {
        let created = Record::after(None, &Change::to(Status::Created)).unwrap();
        assert_eq!((created.status, created.version), (Status::Created, 1));
        assert_eq!(
            Record::after(Some(&created), &Change::to(Status::Created)),
            None
        );
    }

    #[test]
    fn an_order_is_unsettled_until_it_is_delivered_or_everything_is_undone() {
        let price: Money = "9.50".parse().unwrap();
        let created = Record::after(None, &Change::created(Some(price))).unwrap();
        assert_eq!(created.unsettled, Some(price));
        assert_eq!(created.clone().once_settled(), None);
        let eaten = [Status::InDelivery, Status::Delivered];
        let eaten = eaten.iter().fold(created.clone(), |record, status| {
            assert_eq!(record.unsettled, Some(price));
            Record::after(Some(&record), &Change::to(*status)).unwrap()
        });
        assert_eq!(eaten.unsettled, None);

        let cancelled = Change::ended(Status::Cancelled, "why");
        let undoing = Record::after(Some(&created), &cancelled).unwrap();
        assert_eq!(undoing.unsettled, Some(price));
        let undone = undoing.clone().once_settled().unwrap();
        assert_eq!((undone.unsettled, undone.version), (None, undoing.version));
        assert_eq!(undone.once_settled(), None);

        let declined = Change::ended(Status::Rejected, "declined").settled();
        let declined = Record::after(Some(&created), &declined).unwrap();
        assert_eq!(declined.unsettled, None);
    }

    #[test]
    fn a_change_after_a_kill_skips_the_version_that_may_have_been_published() {
        let created = Record::after(None, &Change::to(Status::Created)).unwrap();
        let killed = Change::to(Status::Scheduled);
        let published = Record::after(Some(&created), &killed).unwrap();
        let cancelled = Change::ended(Status::Cancelled, "why").after_kill();
        let cancelled = Record::after(Some(&created), &cancelled).unwrap();
        assert_eq!(cancelled.version, published.version + 1);
    }

    #[test]
    fn a_record_of_a_former_version_can_be_read_and_is_written_unchanged() {
        let before = r#"{"status":"CREATED","version":1}"#;
        let record: Record = serde_json::from_str(before).unwrap();
        assert_eq!(record.unsettled, None);
        assert_eq!(serde_json::to_string(&record).unwrap(), before);
    }

    #[test]
    fn an_invalid_event_may_be_corrected_and_never_changes_an_accepted_order() {
        let refused = refused();
        assert!(refused.refused_unread);
        let corrected = Record::after(Some(&refused), &Change::to(Status::Created)).unwrap();
        assert_eq!((corrected.status, corrected.version), (Status::Created, 2));
        assert_eq!(corrected.reason, None);
        assert!(!corrected.refused_unread);
        // A second invalid event changes nothing.
        let again = Change::refused_unread("again");
        assert_eq!(Record::after(Some(&refused), &again), None);
        for status in Status::ALL {
            let live = Record {
                status,
                refused_unread: false,
                ..corrected.clone()
            };
            assert_eq!(Record::after(Some(&live), &again), None, "{status}");
        }
    }

    #[test]
    fn an_order_rejected_by_its_workflow_stays_rejected() {
        let created = Record::after(None, &Change::to(Status::Created)).unwrap();
        let declined =
            Record::after(Some(&created), &Change::ended(Status::Rejected, "declined")).unwrap();
        assert_eq!(
            Record::after(Some(&declined), &Change::to(Status::Created)),
            None
        );
    }

    #[test]
    fn the_arrival_changes_only_while_the_order_is_open() {
        assert_eq!(Record::after_new_eta(None, 1), None);
        assert_eq!(Record::after_new_eta(Some(&refused()), 1), None);
        let created = Record::after(None, &Change::to(Status::Created)).unwrap();
        let expected = Record::after_new_eta(Some(&created), 7).unwrap();
        assert_eq!((expected.version, expected.eta), (2, Some(7)));
        let cancelled =
            Record::after(Some(&expected), &Change::ended(Status::Cancelled, "why")).unwrap();
        assert_eq!(cancelled.eta, None);
    }

    #[test]
    fn a_delay_is_published_once_and_ends_with_the_next_change() {
        assert_eq!(Record::after_delay(None), None);
        let created = Record::after(None, &Change::to(Status::Created)).unwrap();
        let delayed = Record::after_delay(Some(&created)).unwrap();
        assert_eq!((delayed.version, delayed.delayed), (2, true));
        assert_eq!(Record::after_delay(Some(&delayed)), None);
        let heard = Record::after_new_eta(Some(&delayed), 7).unwrap();
        assert_eq!((heard.version, heard.delayed), (3, false));
        let moved = Record::after(Some(&delayed), &Change::to(Status::Scheduled)).unwrap();
        assert!(!moved.delayed);
        let ended = Record::after(Some(&created), &Change::ended(Status::Cancelled, "x")).unwrap();
        assert_eq!(Record::after_delay(Some(&ended)), None);
    }

    #[test]
    fn another_driver_is_a_change_and_the_same_driver_is_not() {
        let with = |driver: &str| Change {
            driver_id: Some(driver.parse().unwrap()),
            eta: Some(5),
            ..Change::to(Status::WaitingForDriver)
        };
        let created = Record::after(None, &Change::to(Status::Created)).unwrap();
        let anna = Record::after(Some(&created), &with("anna")).unwrap();
        assert_eq!(Record::after(Some(&anna), &with("anna")), None);
        let ben = Record::after(Some(&anna), &with("ben")).unwrap();
        assert_eq!((ben.version, ben.driver_id), (3, with("ben").driver_id));
        // The same driver again, after a delay, ends the delay.
        let lost = Record::after_delay(Some(&anna)).unwrap();
        let found = Record::after(Some(&lost), &with("anna")).unwrap();
        assert_eq!((found.version, found.delayed), (4, false));
        let picked_up = Record::after(Some(&anna), &Change::to(Status::InDelivery)).unwrap();
        assert_eq!(Record::after(Some(&picked_up), &with("ben")), None);
    }

    fn content(total: &str) -> Content {
        let event = format!(
            r#"{{"orderId":"o","restaurantId":"r","totalCost":{total},"deliveryDelay":0,
            "products":[{{"productId":"p","description":"d","quantity":1}}]}}"#
        );
        domain::Order::parse(event.as_bytes()).unwrap().content()
    }

    #[test]
    fn an_id_belongs_to_the_first_order_that_claims_it() {
        let claim = |total: &str| IdClaim {
            content: content(total),
            claimant: Claimant::Trusted,
        };
        let first = Holder {
            content: content("9.5"),
            has_key: false,
        };
        let refused = refused();
        let created = Record::after(None, &Change::to(Status::Created)).unwrap();
        for record in [None, Some(&refused)] {
            // A corrected order has the id of the rejected one.
            assert_eq!(
                Holder::after(record, None, claim("9.5")),
                Some(Granted::To(first.clone()))
            );
        }
        for record in [None, Some(&refused), Some(&created)] {
            let again = Holder::after(record, Some(&first), claim("9.50"));
            assert_eq!(again, Some(Granted::AsBefore));
            assert_eq!(Holder::after(record, Some(&first), claim("9.51")), None);
        }
        // For an order from before contents were stored, it is unknown whether another one is the same.
        let again = Holder::after(Some(&created), None, claim("1"));
        assert_eq!(again, Some(Granted::AsBefore));
    }

    #[test]
    fn without_the_key_a_claim_does_not_reveal_what_a_customer_ordered() {
        let claim = |claimant| IdClaim {
            content: content("9.5"),
            claimant,
        };
        let granted = Holder::after(None, None, claim(Claimant::KeyHolder));
        let Some(Granted::To(customer)) = granted else {
            panic!("{granted:?}");
        };
        let again = |claimant| Holder::after(None, Some(&customer), claim(claimant));
        assert_eq!(again(Claimant::Anyone), None);
        assert_eq!(again(Claimant::KeyHolder), Some(Granted::AsBefore));
        assert_eq!(again(Claimant::Trusted), Some(Granted::AsBefore));
        // A provider's order has no key, and may be sent again without one.
        let granted = Holder::after(None, None, claim(Claimant::Anyone));
        let Some(Granted::To(provider)) = granted else {
            panic!("{granted:?}");
        };
        let again = Holder::after(None, Some(&provider), claim(Claimant::Anyone));
        assert_eq!(again, Some(Granted::AsBefore));
        // The order came through Kafka first, because Restate was down; now the customer shows the key.
        let again = Holder::after(None, Some(&provider), claim(Claimant::KeyHolder));
        assert_eq!(again, Some(Granted::To(customer)));
    }

    proptest! {
        #[test]
        fn versions_count_every_change_without_a_gap(
            changes in proptest::collection::vec(proptest::sample::select(&Status::ALL[..]), 0..60),
        ) {
            let mut record = None;
            let mut version = 0;
            for status in changes {
                if let Some(next) = Record::after(record.as_ref(), &Change::to(status)) {
                    version += 1;
                    prop_assert_eq!(next.version, version);
                    record = Some(next);
                }
            }
        }
    }
}
