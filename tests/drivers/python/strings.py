"""Tests that generated texts are the same after they were sent and read back, with psycopg 3, asyncpg and pg8000.

The arguments are a connection string and how many texts each driver sends. A failed assertion ends it with a traceback.
"""

import asyncio
import random
import sys
from urllib.parse import urlsplit

import asyncpg
import pg8000.dbapi
import psycopg

# What might change on its way: quotes, escapes, comments, placeholders, control characters.
PARTS = ["'", "''", '"', "\\", "\\'", "--", "/*", "*/", "$1", "$$", "%", "%s", ":a", "?", "{", "}", ",", ";", "\n", "\r", "\t"]
PARTS += ["NULL", " or 1=1", "E'", "U&'\\0027'", "\u2019", "\x01", "\x7f", "\u00a0", "\ufeff", "\U0001f355"]
# How many are sent at a time.
AT_ONCE = 50


def texts(count, seed):
    """Texts of parts and of any characters, except those that no text in PostgreSQL may have."""
    chosen = random.Random(seed)

    def character():
        code = chosen.choice((0x7F, 0x2FF, 0xFFFF, 0x10FFFF))
        code = chosen.randint(1, code)
        return "x" if 0xD800 <= code < 0xE000 else chr(code)

    def text():
        return "".join(chosen.choice(PARTS) if chosen.random() < 0.6 else character() for _ in range(chosen.randint(0, 12)))

    for begin in range(0, count, AT_ONCE):
        yield [text() for _ in range(min(AT_ONCE, count - begin))]


def query(all, placeholder, table=""):
    """A query of all texts, each for itself, and of a list of them."""
    columns = [f"{placeholder(index)}::text" for index in range(1, len(all) + 1)]
    return f"select {', '.join(columns)}, {placeholder(len(all) + 1)}::text[]{table}"


def same(driver, sent, row):
    assert tuple(row) == (*sent, sent), (driver, [pair for pair in zip(sent, row) if pair[0] != pair[1]] or row[-1])


def with_psycopg(url, count):
    with psycopg.connect(url, autocommit=True) as connection:
        cursors = [connection.cursor(), connection.cursor(binary=True), psycopg.ClientCursor(connection)]
        for number, sent in enumerate(texts(count, "psycopg")):
            table = " from pg_class limit 1" if number % 8 == 7 else ""
            cursor = cursors[number % 3].execute(query(sent, lambda _: "%s", table), (*sent, sent))
            same("psycopg", sent, cursor.fetchone())


async def with_asyncpg(url, count):
    connection = await asyncpg.connect(url)
    for sent in texts(count, "asyncpg"):
        same("asyncpg", sent, await connection.fetchrow(query(sent, lambda index: f"${index}"), *sent, sent))
    await connection.close()


def with_pg8000(url, count):
    parts = urlsplit(url)
    connection = pg8000.dbapi.connect(user="test", host=parts.hostname, port=parts.port, database="restate")
    cursor = connection.cursor()
    for sent in texts(count, "pg8000"):
        cursor.execute(query(sent, lambda _: "%s"), (*sent, sent))
        same("pg8000", sent, cursor.fetchone())
    connection.close()


url, count = sys.argv[1], int(sys.argv[2])
with_psycopg(url, count)
print("psycopg")
asyncio.run(with_asyncpg(url, count))
print("asyncpg")
with_pg8000(url, count)
print("pg8000")
