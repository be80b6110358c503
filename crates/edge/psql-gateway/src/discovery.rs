//! Asks the runtime which tables it has, and what the columns of the views over them are.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_schema::DataType;
use futures::{StreamExt, TryStreamExt, stream};
use tracing::warn;

use crate::about::About;
use crate::bounds::with_stack;
use crate::error::Result;
use crate::runtime::Runtime;
use crate::schema::{Schema, Table};
use crate::views::{View, Views};
use crate::{parse, rewrite};

/// How many tables are asked about at a time.
const AT_ONCE: usize = 4;

/// Asks the runtime. Every table is asked for no rows, which tells its columns with their exact types.
pub(crate) async fn schema(runtime: &Runtime, views: &Arc<Views>) -> Result<Schema> {
    let names = names(runtime).await?;
    let views = Arc::new(views.with_former_table(&names));
    let mut schema = Schema {
        views: views.clone(),
        ..Schema::default()
    };
    let questions = names.into_iter().map(|name| {
        let sql = format!("SELECT * FROM {name} LIMIT 0");
        table(runtime.clone(), name, None, sql)
    });
    schema.tables = ask(questions.collect()).await?;
    let questions = (views.all().iter()).map(|view| view_of(runtime, view, &schema));
    let found = ask(questions.collect()).await?;
    schema.tables.extend(found.into_iter().flatten());
    schema.keyed = !has_scopes(runtime).await?;
    Ok(schema)
}

/// A view with its columns; nothing, with a warning, if it cannot be used. Then whoever asks for it gets the same answer.
async fn view_of(runtime: &Runtime, view: &Arc<View>, schema: &Schema) -> Result<Option<Table>> {
    let name = &view.name;
    if schema.columns(name).is_some() {
        warn!(
            "the view {name} is not used, because Restate has a table of this name: rename {name}.sql"
        );
        return Ok(None);
    }
    let asked = async {
        let query = parse::query(&format!("SELECT * FROM {name} AS v LIMIT 0"))?;
        let sql = with_stack(|| rewrite::for_runtime(query, schema, &About::default()))?;
        table(runtime.clone(), name.clone(), Some(view.clone()), sql).await
    };
    match asked.await {
        Err(error) if !error.is_unreachable() => {
            warn!("the view {name} cannot be used: correct {name}.sql: {error}");
            Ok(None)
        }
        answer => answer.map(Some),
    }
}

/// Whether any state belongs to a scope, by which it would lie elsewhere.
async fn has_scopes(runtime: &Runtime) -> Result<bool> {
    let scoped = "SELECT key FROM state WHERE scope IS NOT NULL LIMIT 1";
    let mut answer = runtime.query(scoped).await?;
    while let Some(batch) = answer.batches.try_next().await? {
        if batch.num_rows() > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn names(runtime: &Runtime) -> Result<Vec<String>> {
    const TABLES: &str = "SELECT CAST(table_name AS VARCHAR) AS name FROM information_schema.tables \
                          WHERE table_schema = 'public' ORDER BY table_name";
    let mut answer = runtime.query(TABLES).await?;
    let mut names = Vec::new();
    while let Some(batch) = answer.batches.try_next().await? {
        let column = arrow_cast::cast(batch.column(0), &DataType::Utf8)?;
        let column = column.as_string::<i32>().iter().flatten();
        names.extend(column.map(str::to_owned));
    }
    Ok(names)
}

async fn table(
    runtime: Runtime,
    name: String,
    view: Option<Arc<View>>,
    sql: String,
) -> Result<Table> {
    let schema = runtime.query(&sql).await?.schema;
    Ok(Table {
        name,
        columns: schema.fields().iter().cloned().collect(),
        view,
    })
}

/// Asks a few questions at a time.
async fn ask<T>(questions: Vec<impl Future<Output = Result<T>> + Send>) -> Result<Vec<T>> {
    let answers = stream::iter(questions).buffered(AT_ONCE);
    answers.try_collect().await
}
