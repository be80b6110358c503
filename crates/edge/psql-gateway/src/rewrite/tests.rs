//! Queries before and after.

use std::sync::Arc;

use arrow_schema::{DataType, Field};
use sqlparser::ast::{Query, Statement};

use super::*;
use crate::parse;
use crate::schema::Table;
use crate::views::Views;

fn schema() -> Schema {
    let table = |name: &str, columns: &[&str]| Table {
        name: name.to_owned(),
        columns: columns
            .iter()
            .map(|name| Arc::new(Field::new(*name, DataType::Utf8, true)))
            .collect(),
        view: None,
    };
    Schema {
        keyed: true,
        views: Arc::new(views()),
        tables: vec![
            table(
                "state",
                &["service_name", "service_key", "key", "value_utf8"],
            ),
            table(
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
            table(
                "sys_invocation_status",
                &[
                    "id",
                    "target_service_name",
                    "target_service_key",
                    "target_handler_name",
                    "status",
                    "invoked_by_id",
                    "invoked_by_service_name",
                ],
            ),
            table("sys_journal", &["id", "index", "invoked_target"]),
            table("sys_service", &["name", "ty"]),
        ],
    }
}

/// The views of food ordering.
fn views() -> Views {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../sql/views");
    Views::read(directory.as_ref()).unwrap()
}

fn parsed(text: &str) -> Query {
    match parse::statements(text).unwrap().pop() {
        Some(Statement::Query(query)) => *query,
        other => panic!("{other:?}"),
    }
}

fn rewritten(text: &str) -> Result<String> {
    let mut query = parsed(text);
    rewrite(&mut query, &schema())?;
    Ok(query.to_string())
}

#[test]
fn names_of_the_past_become_those_of_today_where_they_can_mean_nothing_else() {
    for (asked, answered) in [
        (
            "select component, component_key, key from state s where s.component = 'A'",
            "SELECT service_name AS component, service_key AS component_key, key FROM state s WHERE s.service_name = 'A'",
        ),
        (
            "select component, handler, invoked_by_component from sys_invocation_status",
            "SELECT target_service_name AS component, target_handler_name AS handler, invoked_by_service_name AS invoked_by_component FROM sys_invocation_status",
        ),
        // Today's names, and `*`, stay.
        (
            "select *, service_name from state",
            "SELECT *, service_name FROM state",
        ),
        // Several tables: what is put in is qualified.
        (
            "select s.component, handler from state s join sys_invocation i on s.component_key = i.component_key",
            "SELECT s.service_name AS component, i.target_handler_name AS handler FROM state s JOIN sys_invocation i ON s.service_key = i.target_service_key",
        ),
        // Aggregates, and what stands for an output column.
        (
            "select component, count(*) from state group by component having max(component) > 'A' order by component",
            "SELECT service_name AS component, count(*) FROM state GROUP BY service_name HAVING max(service_name) > 'A' ORDER BY component",
        ),
        (
            "select key from state order by component desc",
            "SELECT key FROM state ORDER BY service_name DESC",
        ),
        // A name that its author gave stays what it is.
        (
            "with x as (select component c, component_key from state) select c, component_key from x",
            "WITH x AS (SELECT service_name AS c, service_key AS component_key FROM state) SELECT c, component_key FROM x",
        ),
        (
            "select component from (select key as component from state) x",
            "SELECT component FROM (SELECT key AS component FROM state) x",
        ),
        // `*` passes names of the past on.
        (
            "select component from (select * from state) x",
            "SELECT service_name AS component FROM (SELECT * FROM state) x",
        ),
        // Subqueries, correlated ones too.
        (
            "select key from state s where exists (select 1 from sys_invocation i where i.component = s.component and handler = 'run')",
            "SELECT key FROM state s WHERE EXISTS (SELECT 1 FROM sys_invocation i WHERE i.target_service_name = s.service_name AND target_handler_name = 'run')",
        ),
        (
            "select component from state union select component from sys_invocation order by component",
            "SELECT service_name AS component FROM state UNION SELECT target_service_name AS component FROM sys_invocation ORDER BY component",
        ),
        // Tables of the past, expressions, schemas, quotes.
        (
            "select sys_status.handler from sys_status",
            "SELECT sys_status.target_handler_name AS handler FROM sys_invocation AS sys_status",
        ),
        (
            "select invoked_component from sys_journal",
            "SELECT split_part(invoked_target, '/', 1) AS invoked_component FROM sys_journal",
        ),
        (
            "select public.state.component from public.state where \"component\" = 'A'",
            "SELECT state.service_name AS component FROM public.state WHERE service_name = 'A'",
        ),
        (
            "select 1 from state a join state b using (component, key)",
            "SELECT 1 FROM state a JOIN state b USING(service_name, key)",
        ),
        // The runtime wants names that differ.
        (
            "select key, key from state",
            "SELECT key, key AS column_2 FROM state",
        ),
        (
            "select now(), now()::date, s.key, key from state s",
            "SELECT now(), now()::DATE AS column_2, s.key, key AS column_4 FROM state s",
        ),
    ] {
        assert_eq!(rewritten(asked).unwrap(), answered, "{asked}");
    }
}

#[test]
fn a_filter_by_key_is_one_by_partition_key_too() {
    let hint = "partition_key = 15363141179342843928";
    for (asked, hinted) in [
        (
            "select key from state where component_key = 'pizza-1'",
            Some("state"),
        ),
        (
            "select key from state s where key = 'order' and ('pizza-1' = s.service_key)",
            Some("s"),
        ),
        (
            "select s.key from state s join sys_invocation i on i.id = s.key where s.service_key = 'pizza-1'",
            Some("s"),
        ),
        (
            "select key from state where service_key = 'pizza-1' or key = 'order'",
            None,
        ),
        ("select key from state where service_key <> 'pizza-1'", None),
        (
            "select * from (select id as service_key from sys_invocation) x where service_key = 'pizza-1'",
            None,
        ),
        (
            "select a.key from state a, state b where service_key = 'pizza-1'",
            None,
        ),
    ] {
        let query = rewritten(asked).unwrap();
        match hinted {
            Some(table) => assert!(query.ends_with(&format!("AND {table}.{hint}")), "{query}"),
            None => assert!(!query.contains(hint), "{query}"),
        }
    }
}

#[test]
fn a_filter_by_a_views_id_reaches_the_state_it_reads() {
    let hint = "AND partition_key = 15363141179342843928";
    for view in views().all().iter().map(|view| view.name.as_str()) {
        let scans = usize::from(view != "dispatch_queue");
        let text = rewritten(&format!("select * from {view}")).unwrap();
        assert_eq!(text.matches(hint).count(), 0, "{text}");
        let keyed = format!("select * from state s, {view} v where v.id = 'pizza-1' and 1 = 1");
        let text = rewritten(&keyed).unwrap();
        assert_eq!(text.matches(hint).count(), scans, "{text}");
    }
    for asked in [
        "select * from orders where id = 'pizza-1' or id = 'pizza-2'",
        "select * from orders a, orders b where id = 'pizza-1'",
        "select * from orders as o(x) where id = 'pizza-1'",
        "with orders as (select id from sys_invocation) select * from orders where id = 'pizza-1'",
    ] {
        let text = rewritten(asked).unwrap();
        assert!(!text.contains("partition_key"), "{text}");
    }
}

#[test]
fn a_filter_reaches_the_state_only_where_it_leaves_the_same_rows() {
    let one_partition = "partition_key = 15363141179342843928";
    for (view, is_narrowed) in [
        ("select service_key as k from state", true),
        (
            "select s.service_key as k, s.key from public.state s where key = 'a'",
            true,
        ),
        (
            "select service_key k, count(*) from state group by service_key",
            true,
        ),
        (
            "select x.k from (select service_key as k from state where key = 'a') x left join sys_invocation i on i.target_service_key = x.k",
            true,
        ),
        (
            "select k, row_number() over (partition by k order by key) from (select service_key k, key from state) x",
            true,
        ),
        (
            "select distinct k from (select service_key as k from state) x order by k",
            true,
        ),
        // These have other rows if only one partition of the state is read.
        ("select service_key as k from state limit 10", false),
        (
            "select k from (select service_key as k from state limit 10) x",
            false,
        ),
        (
            "select distinct on (key) service_key as k from state",
            false,
        ),
        (
            "select service_key as k, row_number() over (order by key) from state",
            false,
        ),
        (
            "select service_key as k, rank() over w from state window w as (order by key)",
            false,
        ),
        (
            "select k, n from (select service_key as k, count(*) over () as n from state) x",
            false,
        ),
        (
            "select max(service_key) as k from state group by service_name",
            false,
        ),
        (
            "select x.k from sys_invocation i left join (select service_key as k from state) x on i.id = x.k",
            false,
        ),
        (
            "select x.k from (select service_key as k from state) x full join sys_invocation i on i.id = x.k",
            false,
        ),
        (
            "select service_key as k from state union select id from sys_invocation",
            false,
        ),
        (
            "with x as (select service_key as k from state) select k from x",
            false,
        ),
        // The column is another one.
        ("select key as k from state", false),
        ("select lower(service_key) as k from state", false),
        (
            "select i.id as k, x.k as key from (select service_key as k from state) x join sys_invocation i on true",
            false,
        ),
        ("select target_service_key as k from sys_invocation", false),
        (
            "select id as k from (select service_key as k, key as id from state) x",
            false,
        ),
    ] {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("tried.sql"), view).unwrap();
        let schema = Schema {
            views: Arc::new(Views::read(directory.path()).unwrap()),
            ..schema()
        };
        let mut query = parsed("select * from tried where k = 'pizza-1'");
        rewrite(&mut query, &schema).unwrap();
        let text = query.to_string();
        assert_eq!(
            text.matches(one_partition).count(),
            usize::from(is_narrowed),
            "{text}"
        );
        parsed(&text);
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for (asked, code) in [
        ("select component from state, sys_invocation", "42702"),
        ("select * from nope", "42P01"),
        (
            "select 1 from state join sys_invocation using (component)",
            "0A000",
        ),
        (
            "with x as (delete from state returning *) select * from x",
            "25006",
        ),
        ("select * into y from state", "25006"),
    ] {
        assert_eq!(rewritten(asked).unwrap_err().code, code, "{asked}");
    }
}

#[test]
fn a_view_stands_for_its_query_under_its_own_name_or_an_alias() {
    for (asked, end) in [
        ("select id from orders", "AS orders"),
        ("select o.id from public.orders as o", "AS o"),
        (
            "select id from (select * from orders) as x",
            "AS orders) AS x",
        ),
    ] {
        let query = rewritten(asked).unwrap();
        assert!(
            query.contains("FROM (SELECT id, json_get_str(status, 'status') AS status"),
            "{query}"
        );
        assert!(query.ends_with(end), "{query}");
    }
    // A `WITH` query of the same name goes before.
    let own = "WITH orders AS (SELECT 1 AS id) SELECT id FROM orders";
    assert_eq!(rewritten(own).unwrap(), own);
}

#[test]
fn every_view_can_be_put_in_and_what_is_put_in_can_be_parsed_again() {
    let views = views();
    assert_eq!(views.all().len(), 6);
    for view in views.all() {
        let comment = view.comment.as_deref().unwrap_or_default();
        assert!(
            comment.ends_with(['.', ':']) || comment.len() > 10,
            "{}",
            view.name
        );
        let text = rewritten(&format!("select * from {}", view.name)).unwrap();
        parsed(&text);
        let columns = columns_of(&view.query, &schema()).unwrap();
        assert!(
            columns.iter().all(|column| !column.is_empty()),
            "{}: {columns:?}",
            view.name
        );
    }
}

#[test]
fn what_postgres_writes_in_another_way_is_put_into_the_runtimes_words() {
    let about = About {
        user: "anna".to_owned(),
        database: "restate".to_owned(),
        pid: 7,
        settings: std::sync::Arc::default(),
    };
    for (asked, answered) in [
        (
            "select current_schema, current_schema()",
            "SELECT 'public', 'public'",
        ),
        ("select \"current_schema\"", "SELECT \"current_schema\""),
        (
            "select extract(epoch from created_at) from state",
            "SELECT date_part('epoch', created_at) FROM state",
        ),
        (
            "select pg_catalog.upper('a'::pg_catalog.text)",
            "SELECT upper(CAST('a' AS TEXT))",
        ),
        (
            "select value_utf8::jsonb->>'a' from state",
            "SELECT (value_utf8) ->> 'a' FROM state",
        ),
        (r"select '\x00ff'::bytea", "SELECT X'00FF'"),
        (
            r#"select '{"a,b",NULL}'::text[]"#,
            "SELECT CAST(ARRAY['a,b', NULL] AS TEXT[])",
        ),
        (
            "select 18446744073709551616",
            "SELECT CAST('18446744073709551616' AS DECIMAL(38,0))",
        ),
        (
            "select extract('epoch' from x)",
            "SELECT date_part('epoch', x)",
        ),
        (
            "select '2026-01-02 +00'::date, time '03:04:05-08', ('1.50'::numeric)::numeric",
            "SELECT CAST('2026-01-02' AS DATE), CAST('03:04:05' AS TIME), CAST('1.50' AS DECIMAL(38,2))",
        ),
        (
            "select timestamp '2026-01-02 03:04+02', (null::text)::int[], x::varchar(2)",
            "SELECT arrow_cast('2026-01-02 03:04:00', 'Timestamp(Microsecond, None)'), CAST(NULL AS INT[]), left(CAST(x AS TEXT), 2)",
        ),
        (
            "select (x::timestamptz[]), x::uuid[], x = any('{a,b}')",
            "SELECT (arrow_cast(x, 'List(Timestamp(Microsecond, Some(\"+00:00\")))')), CAST(x AS TEXT[]), x = ANY(ARRAY['a', 'b'])",
        ),
        (
            r"select x like 'a!%!!\' escape '!', x like y escape ''",
            r"SELECT x LIKE 'a\%!\\', x LIKE replace(y, '\', '\\')",
        ),
        (
            "select not exists (select 1 from t), exists (select 1 from t where exists (select 2))",
            "SELECT (SELECT count(1) = 0 FROM (SELECT 1 FROM t) AS found), (SELECT count(1) > 0 FROM (SELECT 1 FROM t WHERE EXISTS (SELECT 2)) AS found)",
        ),
        (
            "select 1, -1, 1.5, 3000000000, '1' union select (2), 0, x, 1 + 1, 1.5e3",
            "SELECT 1, -1, CAST('1.5' AS DECIMAL(38,1)), 3000000000, '1' UNION SELECT (2), 0, x, 1 + 1, CAST('1500' AS DECIMAL(38,0))",
        ),
        (
            "select 0.1 + x * 1.5, (1.5), 1.5 / 2, case when a then 2.5 end, 0.12345678901234567",
            "SELECT CAST('0.1' AS DECIMAL(38,1)) + x * CAST('1.5' AS DECIMAL(38,1)), (CAST('1.5' AS DECIMAL(38,1))), 1.5 / 2, CASE WHEN a THEN CAST('2.5' AS DECIMAL(38,1)) END, 0.12345678901234567",
        ),
        (
            "select @ x, |/ 4, sign(x), '2' + 1, 1 * '2', x - '2', 'a' || 1",
            "SELECT abs(x), sqrt(4), signum(x), 2 + 1, 1 * 2, x - '2', 'a' || 1",
        ),
        (
            r"select x similar to 'a_b%(c|d)', x not similar to '[^.]!%.\d^' escape '!', x similar to null",
            r"SELECT (x ~ '^(?s:a.b.*(c|d))$'), (x !~ '^(?s:[^\.]%\.\\d\^)$'), x SIMILAR TO NULL",
        ),
        (
            "select ~x + 1, div(1 + 2, x), localtimestamp, null::int4range",
            "SELECT (-1 - (x)) + 1, trunc((1 + 2) / (x)), to_local_time(now()), CAST(NULL AS TEXT)",
        ),
        (
            "select variance(x), every(a), ceiling(x), mod(1 + 2, x), extract(second from x), date_part('Second', x)",
            "SELECT var_samp(x), bool_and(a), ceil(x), ((1 + 2) % (x)), (date_part('microsecond', x) / 1e6), (date_part('microsecond', x) / 1e6)",
        ),
        (
            "select row_number() over (), x::char(3), x::char, '{}'::json",
            "SELECT CAST(row_number() OVER () AS BIGINT), rpad(left(CAST(x AS TEXT), 3), 3), rpad(left(CAST(x AS TEXT), 1), 1), '{}'",
        ),
        (
            "select to_char(x, 'DD.MM.YY HH24:MI:SS.MS'), to_date(x, '%y')",
            "SELECT to_char(x, '%d.%m.%y %H:%M:%S.%3f'), to_date(x, '%y')",
        ),
        (
            "select to_timestamp('2026-01-02', 'YYYY-MM-DD')",
            "SELECT arrow_cast(to_timestamp('2026-01-02', '%Y-%m-%d'), 'Timestamp(Microsecond, Some(\"+00:00\"))')",
        ),
    ] {
        let mut query = parsed(asked);
        adapt(&mut query, &about).unwrap();
        assert_eq!(query.to_string(), answered, "{asked}");
    }
    let refused = adapt(&mut parsed("select to_char(x, 'Month')"), &about);
    assert_eq!(refused.map_err(|error| error.code), Err("0A000"));
}

#[test]
fn a_number_that_no_float_can_be_is_refused() {
    for asked in [
        "select 1e400",
        "select -1e400 + 1",
        "select key from state where 1e400 > 1",
    ] {
        let query = parse::query(asked).unwrap();
        let error = for_runtime(query, &schema(), &About::default()).unwrap_err();
        assert_eq!(error.code, "22003", "{asked}");
    }
}

#[test]
fn columns_that_come_once_more_with_all_of_them_have_names_of_their_own() {
    let own = "service_name, service_key, key, value_utf8";
    for (asked, answered) in [
        ("select * from state", "SELECT * FROM state".to_owned()),
        (
            "select key, * from state",
            "SELECT key, service_name, service_key, key AS column_4, value_utf8 FROM state"
                .to_owned(),
        ),
        (
            "select s.*, 1 from public.state as s",
            format!("SELECT {own}, 1 FROM public.state AS s"),
        ),
        // Of these it is not known here what they have.
        (
            "with state as (select 1) select 1, * from state",
            "WITH state AS (SELECT 1) SELECT 1, * FROM state".to_owned(),
        ),
        (
            "select 1, * from state s, state t",
            "SELECT 1, * FROM state s, state t".to_owned(),
        ),
    ] {
        let mut query = parsed(asked);
        expand(&mut query, &schema());
        names::tell_apart(&mut query);
        assert_eq!(query.to_string(), answered, "{asked}");
    }
}

#[test]
fn a_function_in_a_from_clause_is_a_row_and_columns_that_differ_in_casts_have_names_of_their_own() {
    for (asked, answered) in [
        (
            "select * from upper('a') as r",
            "SELECT * FROM (SELECT upper('a') AS r) AS r",
        ),
        (
            "select g from generate_series('1', '3') g",
            "SELECT g FROM generate_series(1, 3) g (g)",
        ),
        (
            "select * from pg_catalog.now()",
            "SELECT * FROM (SELECT now() AS now) AS now",
        ),
        ("select * from range(1, 2) r", "SELECT * FROM range(1, 2) r"),
        (
            "select null::int is null, null::text is null",
            "SELECT NULL::INT IS NULL, NULL::TEXT IS NULL AS column_2",
        ),
    ] {
        assert_eq!(rewritten(asked).as_deref(), Ok(answered), "{asked}");
    }
}

#[test]
fn a_query_that_stands_first_in_a_list_is_not_read_as_the_query_of_in() {
    for (asked, sent) in [
        (
            "select key in (cast((select 'a') as json), key) from state",
            "SELECT key IN (key, ((SELECT 'a'))) FROM state",
        ),
        (
            "select key in (cast((select 'a') as json)) from state",
            "SELECT key IN (coalesce(((SELECT 'a')))) FROM state",
        ),
    ] {
        let sql = for_runtime(parsed(asked), &schema(), &About::default()).unwrap();
        assert_eq!(sql, sent);
        assert_eq!(parse::query(&sql).unwrap().to_string(), sent);
    }
}
