"""Tests psycopg 3 with the psql gateway of a system in which `pizza-1` and `pizza-2` are delivered.

The argument is a connection string. A failed assertion ends it with a traceback.
"""

import sys
import threading
import time
from datetime import date, datetime, timedelta, timezone
from datetime import time as clock
from decimal import Decimal
from uuid import UUID

import psycopg
import psycopg.sql
import sqlalchemy
from psycopg import errors

# A query that would take hours.
LONG = "select count(*) from range(1000000000000) r where r.value % 7 = 3"


def values(conninfo):
    """The values are the same in the text and the binary format."""
    query = """
        select id, price, created, eta, reason, delayed, version, age
        from orders where id = %s and price > %s and created > %s
    """
    since = datetime.now(timezone.utc) - timedelta(hours=1)
    parameters = ("pizza-1", Decimal("1.5"), since)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        rows = []
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            rows.append(cursor.execute(query, parameters, binary=binary).fetchone())
        text, binary = rows
        assert text[:-1] == binary[:-1], rows
        order, price, created, eta, reason, delayed, version, age = binary
        assert (order, price, reason, delayed) == ("pizza-1", Decimal("23.50"), None, False), binary
        assert created.tzinfo is not None and since < created < datetime.now(timezone.utc), created
        assert eta is None or eta > created, eta
        assert isinstance(version, int) and version > 1, version
        assert isinstance(age, timedelta) and age > timedelta(0), age


def parameters(conninfo):
    """Numbers, NULL, lists, dates, and texts that would be SQL if they were inserted into a query."""
    with psycopg.connect(conninfo) as connection:
        one = connection.execute(
            "select %s::bigint, %s::text, %s::double precision, %t::boolean, %s::date, %b::int",
            (2**40, "it's; --", 0.5, True, datetime(2026, 1, 2).date(), 7),
        ).fetchone()
        assert one == (2**40, "it's; --", 0.5, True, datetime(2026, 1, 2).date(), 7), one
        keys = connection.execute(
            "select array_agg(service_key order by service_key) from state where key = %s and service_key = any(%s)",
            ("order", ["pizza-2", "pizza-1", None]),
        ).fetchone()
        assert keys == (["pizza-1", "pizza-2"],), keys
        nothing = connection.execute(
            "select count(*), max(key) from state where service_key = %s", (None,)
        ).fetchone()
        assert nothing == (0, None), nothing
        nulls = connection.execute("select array[1, null, 3], null, cast(null as text)").fetchone()
        assert nulls == ([1, None, 3], None, None), nulls


# Texts that would be SQL if they were inserted into a query, or that look as if they were escaped already.
HOSTILE = [
    r"\' or 1=1 --",
    "' or '1'='1",
    "12'' pizza",
    "'' or ''=''",
    r"a\'b",
    "a\\",
    "\\\\' or 1=1 --",
    "'; drop table state; --",
    "' union select value_utf8 from state --",
    "$$ or 1=1 --",
    "$1",
    "%s",
    'a"b',
    '"" or 1=1',
    "/* */ -- \n#",
    "\u2019 or 1=1 --",
    "U&'\\0027'",
    "\U0001f355 \t\r\n",
]


def data(conninfo):
    """A value is the same whether it is bound by the server, written into the query by psycopg, or part of a list."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        clients = psycopg.ClientCursor(connection)
        for text in HOSTILE:
            for cursor in (connection.cursor(), connection.cursor(binary=True), clients):
                count = cursor.execute("select count(*) from state where key = %s", (text,)).fetchone()
                assert count == (0,), (text, count)
                row = cursor.execute("select %s::text, %s::text[]", (text, [text, None, ""])).fetchone()
                assert row == (text, [text, None, ""]), (text, row)
                same = cursor.execute("select relname, %s::text from pg_class where relname <> %s limit 1", (text, text))
                assert same.fetchone()[1] == text, text
            name = psycopg.sql.Identifier(text.replace("%", ""))
            named = connection.execute(psycopg.sql.SQL("select 1 as {}").format(name))
            assert named.description[0].name == text.replace("%", ""), text
        for value in (b"", bytes(range(256)), b"'\\''"):
            for binary in (False, True):
                row = connection.cursor(binary=binary).execute("select %s::bytea", (value,), binary=binary).fetchone()
                assert row == (value,), (value, row)
            assert clients.execute("select %s::bytea", (value,)).fetchone() == (value,), value
        for sql, expected in [
            ("select 'a''''b'", "a''b"),
            (r"select 'a\''b'", r"a\'b"),
            (r"select $$a\'b$$", r"a\'b"),
            (r"select E'a\'b\\\n'", "a'b\\\n"),
            ("select 'a'\n'b'", "ab"),
        ]:
            assert connection.execute(sql).fetchone() == (expected,), sql


def harmless(conninfo):
    """A query that is nested too deeply is refused, and other connections are not affected."""
    with psycopg.connect(conninfo, autocommit=True) as other, psycopg.connect(conninfo, autocommit=True) as connection:
        for query in (
            "select count(*) from state where " + " or ".join(f"key='{i}'" for i in range(2000)),
            "select count(*) from state where " + " or ".join(f"key='{i}'" for i in range(5000)),
            " union all ".join(["select 1"] * 500),
        ):
            for prepare in (False, True):
                try:
                    connection.execute(query, prepare=prepare)
                except errors.StatementTooComplex:
                    pass
                else:
                    raise AssertionError(query[:60])
        assert other.execute("select count(*) > 0 from state").fetchone() == (True,)


def types(conninfo):
    """Values of many types are the same after they were bound and read, in the text and the binary format."""
    hostile = ['a"b', "c\\d", None, "", "NULL", "{}", " "]
    values = [
        ("interval", timedelta(days=1, seconds=3)),
        ("interval", timedelta(days=-2, microseconds=5)),
        ("uuid", UUID(int=5)),
        ("time", clock(1, 2, 3, 4000)),
        ("date", date(1, 1, 1)),
        ("timestamp", datetime(2026, 1, 2, 3, 4, 5, 6000)),
        ("timestamptz", datetime(2026, 1, 2, 3, 4, 5, 6000, tzinfo=timezone.utc)),
        ("numeric", Decimal("1E+3")),
        ("numeric", Decimal("-0.00001")),
        ("numeric", Decimal(2**100)),
        ("float8", float("inf")),
        ("float8", float("-inf")),
        ("float8", 1e-7),
        ("text[]", hostile),
        ("int[]", [1, None, 3]),
        ("float8[]", [1.5, None]),
        ("bool[]", [True, False]),
        ("numeric[]", [Decimal("1.5")]),
        ("interval[]", [timedelta(days=1)]),
        ("text[]", None),
    ]
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            for name, value in values:
                row = cursor.execute(f"select %s::{name}", (value,), binary=binary).fetchone()
                assert row == (value,), (binary, name, value, row)
            nan = cursor.execute("select %s::float8", (float("nan"),), binary=binary).fetchone()[0]
            assert nan != nan, nan
        texts = connection.execute("select 'infinity'::float8::text, '-infinity'::float8, '12:00:00.5'::time").fetchone()
        assert texts[1:] == (float("-inf"), clock(12, 0, 0, 500000)), texts


def cursors(conninfo):
    """Cursors of the server fetch rows in batches, and statements of the protocol and of SQL share their names."""
    with psycopg.connect(conninfo) as connection:
        everything = connection.execute("select key from state where key <> %s order by key", ("x",)).fetchall()
        with connection.cursor("some") as cursor:
            cursor.itersize = 2
            cursor.execute("select key from state where key <> %s order by key", ("x",))
            assert cursor.fetchmany(3) + list(cursor) == everything
        connection.pgconn.prepare(b"mine", b"select 1")
        connection.execute("deallocate mine")
        assert connection.pgconn.exec_prepared(b"mine", []).status == psycopg.pq.ExecStatus.FATAL_ERROR


def reflected(conninfo):
    """SQLAlchemy finds tables, views and their columns."""
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo))
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("select 1")).scalar() == 1
    inspector = sqlalchemy.inspect(engine)
    columns = {column["name"]: str(column["type"]) for column in inspector.get_columns("orders")}
    assert columns["price"] == "NUMERIC" and columns["created"] == "TIMESTAMP", columns
    assert inspector.get_pk_constraint("orders")["constrained_columns"] == []
    assert "state" in inspector.get_table_names() and "orders" in inspector.get_view_names()
    tables = sqlalchemy.MetaData()
    tables.reflect(engine, views=True, only=["orders", "state"])
    with engine.connect() as connection:
        count = sqlalchemy.select(sqlalchemy.func.count()).select_from(tables.tables["orders"])
        assert connection.execute(count).scalar() == 2


def prepared(conninfo):
    """A prepared statement can be run repeatedly, and in a pipeline. Transactions and savepoints are accepted."""
    query = "select component, key from state where component_key = %s order by component, key"
    with psycopg.connect(conninfo) as connection:
        runs = [
            connection.execute(query, (key,), prepare=True).fetchall()
            for key in ("pizza-1", "pizza-2", "nobody", "pizza-1")
        ]
        assert runs[0] == runs[3] == runs[1] != [], runs
        assert runs[2] == [], runs
        with connection.pipeline(), connection.transaction(), connection.transaction():
            cursors = [connection.execute(query, (key,)) for key in ("pizza-1", "pizza-2")]
        assert [cursor.fetchall() for cursor in cursors] == [runs[0], runs[1]]
        streamed = list(connection.cursor().stream("select key from state"))
        assert len(streamed) > len(runs[0]), streamed


def copied(conninfo):
    with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
        query = "select service_key, null, 7 from state where key = 'order' order by 1"
        for options in ("", "with (format binary)"):
            with cursor.copy(f"copy ({query}) to stdout {options}") as copy:
                copy.set_types(["text", "text", "int4"])
                rows = list(copy.rows())
            assert [row[0] for row in rows] == ["pizza-1", "pizza-2"], rows
            assert all(row[1:] == (None, 7) for row in rows), rows


def refused(conninfo):
    """Errors have the class that belongs to their SQLSTATE in psycopg, and the position in the query."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for query, error, position in [
            ("selec 1", errors.SyntaxError, "1"),
            ("select nope from state", errors.UndefinedColumn, "8"),
            ("select * from nope", errors.UndefinedTable, "15"),
            ("select nope(1)", errors.UndefinedFunction, "8"),
            ("select 1/0", errors.DivisionByZero, None),
            ("delete from state", errors.ReadOnlySqlTransaction, None),
            ("declare c cursor for select 1", errors.NoActiveSqlTransaction, None),
        ]:
            try:
                connection.execute(query)
            except error as refusal:
                assert refusal.diag.statement_position == position, (query, refusal.diag.statement_position)
            else:
                raise AssertionError(query)
        assert connection.execute("select 1").fetchone() == (1,)


def cancelled(conninfo):
    with psycopg.connect(conninfo, autocommit=True) as connection:
        ended = threading.Event()

        def cancel():
            # A cancel request that arrives before the query has begun has no effect.
            while not ended.wait(0.05):
                connection.cancel_safe()

        canceller = threading.Thread(target=cancel)
        canceller.start()
        begin = time.monotonic()
        try:
            connection.execute(LONG)
        except errors.QueryCanceled:
            assert time.monotonic() - begin < 20
        else:
            raise AssertionError("it was not cancelled")
        finally:
            ended.set()
            canceller.join()
        # A cancel request may still have been under way.
        try:
            connection.execute("select key from state limit 1")
        except errors.QueryCanceled:
            pass
        connection.execute("select 1")


for check in (values, parameters, types, data, harmless, cursors, reflected, prepared, copied, refused, cancelled):
    check(sys.argv[1])
    print(check.__name__)
