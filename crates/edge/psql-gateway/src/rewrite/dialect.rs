//! What PostgreSQL writes in another way than the runtime.

use std::ops::ControlFlow;

use sqlparser::ast::{
    CastKind, DataType, DateTimeField, Expr, FunctionArguments, Query, Value, VisitMut, VisitorMut,
};

use crate::error::{Error, Result};
use crate::{parameters, sql};

/// What functions about the session answer.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) user: String,
    pub(crate) database: String,
    pub(crate) pid: i32,
}

/// The version that is told to clients, by which they choose what they ask of the catalogue.
pub(crate) const SERVER_VERSION: &str = "14.0";

/// What `version()` answers.
pub(crate) fn version() -> String {
    format!(
        "PostgreSQL {SERVER_VERSION} compatible psql-gateway {} for Restate",
        env!("CARGO_PKG_VERSION")
    )
}

impl Session {
    /// The value of a function without arguments, if it is about the session.
    pub(crate) fn value(&self, function: &str) -> Option<Value> {
        let text = |text: &str| Some(Value::SingleQuotedString(text.to_owned()));
        match function {
            "current_user" | "session_user" | "user" | "current_role" => text(&self.user),
            "current_database" | "current_catalog" => text(&self.database),
            "current_schema" => text("public"),
            "version" => text(&version()),
            "pg_backend_pid" => Some(Value::Number(self.pid.to_string(), false)),
            _ => None,
        }
    }
}

/// Puts a query into the runtime's dialect.
pub(crate) fn adapt(query: &mut Query, session: &Session) -> Result<()> {
    sql::walked(query.visit(&mut Adapter { session }))
}

struct Adapter<'a> {
    session: &'a Session,
}

impl VisitorMut for Adapter<'_> {
    type Break = Error;

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<Error> {
        if query.locks.is_empty() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(Error::read_only("SELECT FOR UPDATE"))
        }
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Error> {
        match expr {
            Expr::Function(function) => {
                // Every function of PostgreSQL may be written with its schema.
                if function.name.0.len() == 2
                    && sql::parts(&function.name).is_some_and(|parts| parts[0] == "pg_catalog")
                {
                    function.name.0.remove(0);
                }
                let bare = match &function.args {
                    FunctionArguments::None => true,
                    FunctionArguments::List(list) => list.args.is_empty(),
                    FunctionArguments::Subquery(_) => false,
                };
                let name = sql::last(&function.name);
                if bare && let Some(value) = name.and_then(|name| self.session.value(&name)) {
                    *expr = sql::literal(value);
                }
            }
            // PostgreSQL has this one without parentheses too.
            Expr::Identifier(ident)
                if ident.quote_style.is_none() && sql::folded(ident) == "current_schema" =>
            {
                if let Some(value) = self.session.value("current_schema") {
                    *expr = sql::literal(value);
                }
            }
            // The runtime has the function, but not this way to call it.
            Expr::Extract {
                field, expr: inner, ..
            } => {
                let field = match field {
                    DateTimeField::Custom(name) => name.value.clone(),
                    other => other.to_string(),
                };
                let field = sql::literal(Value::SingleQuotedString(field.to_lowercase()));
                *expr = sql::call("date_part", [field, (**inner).clone()]);
            }
            Expr::Collate { expr: inner, .. } => *expr = (**inner).clone(),
            Expr::Value(value) => {
                // The runtime makes whole numbers beyond 64 bits floating ones.
                if let Value::Number(digits, _) = &value.value
                    && digits.bytes().all(|digit| digit.is_ascii_digit())
                    && digits.parse::<u64>().is_err()
                    && digits.len() <= DECIMAL_DIGITS
                {
                    *expr = parameters::cast(digits, "DECIMAL(38, 0)");
                }
            }
            Expr::Cast {
                data_type,
                expr: inner,
                kind,
                ..
            } => {
                // State is JSON in a text, and the runtime's JSON operators take texts.
                if *data_type == DataType::Bytea
                    && let Some(bytes) = sql::text(inner).and_then(parameters::byte_array)
                {
                    *expr = parameters::bytea(&bytes);
                } else if matches!(data_type, DataType::Array(_))
                    && let Some(text) = sql::text(inner)
                {
                    // The runtime would make it an array of one text.
                    let Some(elements) = parameters::text_array(text) else {
                        let message = format!("malformed array literal: \"{text}\"");
                        return ControlFlow::Break(Error::new("22P02", message));
                    };
                    **inner = parameters::texts(elements);
                    *kind = CastKind::Cast;
                } else if matches!(data_type, DataType::JSON | DataType::JSONB) {
                    *expr = Expr::Nested(inner.clone());
                } else {
                    if let DataType::Custom(name, _) = &*data_type
                        && let Some(last) = sql::last(name)
                        && matches!(last.as_str(), "name" | "bpchar" | "text" | "varchar")
                    {
                        *data_type = DataType::Text;
                    }
                    if *kind == CastKind::DoubleColon {
                        *kind = CastKind::Cast;
                    }
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The most digits that a decimal has in the runtime.
const DECIMAL_DIGITS: usize = 38;
