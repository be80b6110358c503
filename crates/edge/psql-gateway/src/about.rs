//! What functions about a session answer, and what its settings are.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlparser::ast::Value;

use crate::settings;

/// Settings that differ from those of the server. Savepoints share them.
pub(crate) type Changed = Arc<BTreeMap<String, String>>;

/// What functions about the session answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct About {
    pub(crate) user: String,
    pub(crate) database: String,
    pub(crate) pid: i32,
    pub(crate) settings: Changed,
}

/// What `version()` answers. Clients choose by the version what they ask of the catalogue.
pub(crate) fn version() -> String {
    format!(
        "PostgreSQL {} compatible psql-gateway {} for Restate",
        settings::default("server_version").unwrap_or_default(),
        env!("CARGO_PKG_VERSION")
    )
}

impl About {
    /// Whether the catalogue is the same for both.
    pub(crate) fn looks_like(&self, other: &Self) -> bool {
        let looks = (&self.user, &self.database, &self.settings);
        looks == (&other.user, &other.database, &other.settings)
    }

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
