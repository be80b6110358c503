//! The reasons for which orders end, as texts for people and as labels for metrics.
//!
//! The reason of an order is a text that may end with details. Its beginning determines the label for metrics.
/// The event was not a valid order.
pub const INVALID: &str = "invalid order";
/// The payment provider declined the payment.
pub const DECLINED: &str = "payment declined";
/// The restaurant refused to prepare the order.
pub const REFUSED: &str = "refused by the restaurant";
/// The payment provider gave no final answer in time.
pub const NO_PAYMENT: &str = "the payment provider did not take the order in time";
/// The payment provider's answers were invalid.
pub const PAYMENT_INVALID: &str = "the payment provider gave no valid answer";
/// The payment provider refused the request with a status other than the one for a declined payment.
pub const PAYMENT_REFUSED: &str = "the payment provider refused the request";
/// The payment provider charged another amount or currency than requested.
pub const OTHER_AMOUNT: &str = "the payment provider charged another amount";
/// The restaurant gave no final answer in time.
pub const NO_RESTAURANT: &str = "the restaurant did not take the order in time";
/// The restaurant's answers were invalid.
pub const RESTAURANT_INVALID: &str = "the restaurant gave no valid answer";
/// The restaurant refused the request with a status other than the one for an order that it will not prepare.
pub const NOT_TAKEN: &str = "the restaurant refused the request";
/// The restaurant did not call back in time.
pub const NOT_COOKED: &str = "the restaurant did not finish in time";
/// No driver became free in time.
pub const NO_DRIVER: &str = "no driver was found in time";
/// The driver did not pick the food up in time.
pub const NOT_PICKED_UP: &str = "the driver did not pick it up in time";
/// The customer cancelled the order.
pub const BY_CUSTOMER: &str = "cancelled by the customer";
/// An operator cancelled the order's workflow in Restate.
pub const BY_OPERATOR: &str = "cancelled by an operator";
/// A step of this system failed for good.
pub const FAILED: &str = "the order could not be processed";

/// The delivery was lost: an invocation of `DeliveryManager` was killed.
pub const DELIVERY_LOST: &str = "the delivery was given up by an operator";
/// The workflow was killed, and the order settled afterwards.
pub const STOPPED: &str = "its processing was stopped by an operator";

const LABELS: [(&str, &str); 18] = [
    (INVALID, "invalid"),
    (DECLINED, "payment_declined"),
    (REFUSED, "restaurant_refused"),
    (NO_PAYMENT, "payment_timeout"),
    (PAYMENT_INVALID, "payment_invalid_answer"),
    (PAYMENT_REFUSED, "payment_request_refused"),
    (OTHER_AMOUNT, "payment_other_amount"),
    (NO_RESTAURANT, "restaurant_timeout"),
    (RESTAURANT_INVALID, "restaurant_invalid_answer"),
    (NOT_TAKEN, "restaurant_request_refused"),
    (NOT_COOKED, "preparation_timeout"),
    (NO_DRIVER, "no_driver"),
    (NOT_PICKED_UP, "pickup_timeout"),
    (BY_CUSTOMER, "customer"),
    (BY_OPERATOR, "operator"),
    (FAILED, "failed"),
    (DELIVERY_LOST, "delivery_lost"),
    (STOPPED, "workflow_stopped"),
];

/// The metric label of a reason: `other` for an unknown reason, `none` without a reason.
#[must_use]
pub fn label(reason: Option<&str>) -> &'static str {
    let Some(reason) = reason else { return "none" };
    LABELS
        .iter()
        .find(|(beginning, _)| reason.starts_with(beginning))
        .map_or("other", |(_, label)| label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_reason_determines_its_label() {
        assert_eq!(label(None), "none");
        assert_eq!(
            label(Some("payment declined: no cover")),
            "payment_declined"
        );
        assert_eq!(label(Some("the moon is full")), "other");
        // No reason is a prefix of a later one.
        for (reason, expected) in LABELS {
            assert_eq!(label(Some(reason)), expected);
        }
    }
}
