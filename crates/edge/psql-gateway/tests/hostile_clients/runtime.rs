//! A stand-in for the runtime: it has tables, answers what it is asked about them, and remembers what it could not read.

use std::sync::{Arc, Mutex};

use arrow_array::types::Int64Type;
use arrow_array::{
    ArrayRef, Int64Array, ListArray, RecordBatch, StringArray, TimestampMillisecondArray,
    UInt64Array,
};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field, Schema};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use tokio::net::TcpListener;

const TABLES: [(&str, &[&str]); 5] = [
    (
        "state",
        &["service_name", "service_key", "key", "value_utf8"],
    ),
    (
        "sys_invocation",
        &[
            "id",
            "target_service_name",
            "target_service_key",
            "target_handler_name",
            "last_failure",
            "status",
        ],
    ),
    (
        "sys_invocation_status",
        &[
            "id",
            "target_service_name",
            "target_service_key",
            "target_handler_name",
            "status",
            "invoked_by_id",
        ],
    ),
    ("sys_journal", &["id", "index", "invoked_target"]),
    ("sys_service", &["name", "ty"]),
];

/// Queries that the gateway should never have asked so: they are not SQL, or keep their connection.
pub(crate) type Unreadable = Arc<Mutex<Vec<String>>>;

#[derive(Deserialize)]
struct Question {
    query: String,
}

/// Starts one; answers its address and what it could not read.
pub(crate) async fn start() -> (String, Unreadable) {
    let unreadable = Unreadable::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new()
        .route("/query", post(answer))
        .with_state(unreadable.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, unreadable)
}

async fn answer(
    State(unreadable): State<Unreadable>,
    headers: HeaderMap,
    Json(question): Json<Question>,
) -> Response {
    let query = question.query;
    if headers
        .get("connection")
        .is_none_or(|value| value != "close")
    {
        let complaint = format!("would use the connection again, which is slow: {query}");
        unreadable.lock().unwrap().push(complaint);
    }
    if let Err(error) = Parser::parse_sql(&PostgreSqlDialect {}, &query) {
        unreadable.lock().unwrap().push(format!("{error}: {query}"));
    }
    if query.contains("FROM information_schema.tables WHERE table_schema = 'public'") {
        let names = TABLES.iter().map(|(name, _)| Some(*name));
        return batch(vec![("name", Arc::new(names.collect::<StringArray>()))]);
    }
    if query.contains("scope IS NOT NULL") {
        return batch(texts(&["key"], 0));
    }
    let table = TABLES
        .iter()
        .find(|(name, _)| query == format!("SELECT * FROM {name} LIMIT 0"));
    if let Some((_, columns)) = table {
        return batch(texts(columns, 0));
    }
    if query.starts_with("SELECT * FROM (") && query.ends_with(") AS v LIMIT 0") {
        return batch(texts(&["id", "status"], 0));
    }
    // Anything else is answered or refused, as its length happens to be.
    if query.len() % 4 == 0 {
        let message = "Datafusion error: Schema error: No field named key. Valid fields are id.";
        let refusal = Json(serde_json::json!({ "message": message }));
        return (StatusCode::INTERNAL_SERVER_ERROR, refusal).into_response();
    }
    let lists =
        ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None]), None]);
    batch(vec![
        (
            "text",
            Arc::new(StringArray::from(vec![Some("a\tb\\\"{"), None])),
        ),
        (
            "number",
            Arc::new(Int64Array::from(vec![Some(i64::MIN), None])),
        ),
        (
            "unsigned",
            Arc::new(UInt64Array::from(vec![Some(u64::MAX), None])),
        ),
        (
            "time",
            Arc::new(TimestampMillisecondArray::from(vec![Some(0), None]).with_timezone("+00:00")),
        ),
        ("list", Arc::new(lists)),
    ])
}

fn texts<'a>(columns: &[&'a str], rows: usize) -> Vec<(&'a str, ArrayRef)> {
    let column = || Arc::new(StringArray::from(vec![Some("a"); rows])) as ArrayRef;
    columns.iter().map(|name| (*name, column())).collect()
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> Response {
    let fields = columns
        .iter()
        .map(|(name, column)| Field::new(*name, DataType::clone(column.data_type()), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, column)| column).collect();
    let batch = RecordBatch::try_new(schema.clone(), arrays).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &schema).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap().into_response()
}
