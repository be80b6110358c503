//! The names that tables and columns had in earlier versions of Restate.
//!
//! Up to 0.8 the tables spoke of `service` and `method`, in 0.9 of `component` and `handler`; since 1.0 they have the names of
//! today. The queries of this example family are written for 0.9.

/// A table under a name of the past, and its name today.
pub(crate) const TABLES: [(&str, &str); 4] = [
    ("sys_status", "sys_invocation"),
    ("sys_component", "sys_service"),
    ("sys_component_status", "sys_keyed_service_status"),
    ("sys_keyed_component_status", "sys_keyed_service_status"),
];

/// Columns of tables whose rows belong to a service.
const OWNER: [(&str, &str); 4] = [
    ("component", "service_name"),
    ("component_key", "service_key"),
    ("service", "service_name"),
    ("service_key_utf8", "service_key"),
];

/// Columns of tables whose rows are invocations.
const INVOCATION: [(&str, &str); 8] = [
    ("component", "target_service_name"),
    ("component_key", "target_service_key"),
    ("handler", "target_handler_name"),
    ("invoked_by_component", "invoked_by_service_name"),
    ("service", "target_service_name"),
    ("service_key", "target_service_key"),
    ("method", "target_handler_name"),
    ("invoked_by_service", "invoked_by_service_name"),
];

/// Columns of the journal. What was three columns is one today, `Service/key/handler` or `Service/handler`.
const JOURNAL: [(&str, &str); 6] = [
    ("invocation_id", "id"),
    ("invoked_component", "split_part(invoked_target, '/', 1)"),
    (
        "invoked_component_key",
        "nullif(regexp_replace(invoked_target, '^[^/]*/?(.*)/[^/]*$', '\\1'), '')",
    ),
    (
        "invoked_handler",
        "regexp_replace(invoked_target, '^.*/', '')",
    ),
    ("invoked_service", "split_part(invoked_target, '/', 1)"),
    (
        "invoked_method",
        "regexp_replace(invoked_target, '^.*/', '')",
    ),
];

/// A column under a name of the past, and what stands for it today: a column, or an expression of columns.
pub(crate) fn columns(table: &str) -> &'static [(&'static str, &'static str)] {
    match table {
        "state" | "sys_inbox" | "sys_promise" | "sys_keyed_service_status" => &OWNER,
        "sys_invocation" | "sys_invocation_status" => &INVOCATION,
        "sys_journal" => &JOURNAL,
        _ => &[],
    }
}
