//! Asks the runtime which tables it has, and what the columns of the views over them are.

use arrow_schema::DataType;
use futures::{StreamExt, TryStreamExt, stream};

use crate::error::{Error, Result};
use crate::runtime::Runtime;
use crate::schema::{Schema, Table};
use crate::views;
use crate::{literals, rewrite};

/// How many tables are asked about at a time.
const AT_ONCE: usize = 4;

/// Asks the runtime. Every table is asked for no rows, which tells its columns with their exact types.
pub(crate) async fn schema(runtime: &Runtime) -> Result<Schema> {
    let mut schema = Schema::default();
    let names = names(runtime).await?;
    let questions = names.into_iter().map(|name| {
        let sql = format!("SELECT * FROM {name} LIMIT 0");
        table(runtime.clone(), name, None, sql)
    });
    schema.tables = ask(questions.collect()).await?;
    let mut questions = Vec::new();
    for view in views::all() {
        let mut query = view.query.clone();
        rewrite::rewrite(&mut query, &schema)?;
        let sql = format!("SELECT * FROM ({}) AS v LIMIT 0", literals::print(query)?);
        questions.push(table(
            runtime.clone(),
            view.name.to_owned(),
            Some(view),
            sql,
        ));
    }
    let found = ask(questions).await?;
    schema.tables.extend(found);
    schema.keyed = !has_scopes(runtime).await?;
    Ok(schema)
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
    use arrow_array::cast::AsArray;
    const TABLES: &str = "SELECT CAST(table_name AS VARCHAR) AS name FROM information_schema.tables \
                          WHERE table_schema = 'public' ORDER BY table_name";
    let mut answer = runtime.query(TABLES).await?;
    let mut names = Vec::new();
    while let Some(batch) = answer.batches.try_next().await? {
        let column = arrow_cast::cast(batch.column(0), &DataType::Utf8)
            .map_err(|error| Error::new("XX000", error.to_string()))?;
        names.extend(
            column
                .as_string::<i32>()
                .iter()
                .flatten()
                .map(str::to_owned),
        );
    }
    Ok(names)
}

async fn table(
    runtime: Runtime,
    name: String,
    view: Option<&'static views::View>,
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
async fn ask(questions: Vec<impl Future<Output = Result<Table>> + Send>) -> Result<Vec<Table>> {
    stream::iter(questions)
        .buffered(AT_ONCE)
        .try_collect()
        .await
}
