//! The JSON form of [`domain`]'s types. The domain itself knows nothing of `OpenAPI`.

use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{KnownFormat, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The longest callback id, in characters. Ids of Restate's awakeables have about 40.
pub(crate) const LONGEST_CALLBACK_ID: usize = 255;

/// Defines the schema of a name in the `OpenAPI` document.
macro_rules! schema {
    ($($name:ident: $schema:expr;)*) => {$(
        pub(crate) struct $name;

        impl ToSchema for $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }
    )*};
}

schema! {
    Id: ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("A short text that is safe in a URL."))
        .min_length(Some(1))
        .max_length(Some(domain::id::MAX_LEN))
        .pattern(Some("^[A-Za-z0-9._:~-]+$"));

    CallbackId: ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("The id of a callback."))
        .min_length(Some(1))
        .max_length(Some(LONGEST_CALLBACK_ID))
        .pattern(Some("^[A-Za-z0-9_-]+$"));

    Stub: ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("The name of a stub."))
        .enum_values(Some(["restaurant", "payment"]));

    Money: ObjectBuilder::new()
        .schema_type(Type::Number)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Double)))
        .description(Some(
            "An amount in US dollars with at most two digits after the point. It is read digit by digit and never rounded.",
        ))
        .minimum(Some(0))
        .maximum(Some(domain::Money::MAX.cents() / 100));

    Region: ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("A delivery region."))
        .enum_values(Some(domain::Region::ALL.map(domain::Region::name)));

    Status: ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(
            "The stages of an order: `NEW` → `CREATED` → `SCHEDULED` → `IN_PREPARATION` → `SCHEDULING_DELIVERY` → \
             `WAITING_FOR_DRIVER` → `IN_DELIVERY` → `DELIVERED`, or an end in `REJECTED` or `CANCELLED`. A status never goes \
             back, and some may be skipped.",
        ))
        .enum_values(Some(domain::Status::ALL.map(domain::Status::name)));

    UpOrDown: ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("Whether something works."))
        .enum_values(Some(["UP", "DOWN"]));
}
