// Tests pg with the psql gateway of a system in which `pizza-1` and `pizza-2` are delivered.
// The argument is a connection string. A failed assertion ends it with an error.

import assert from "node:assert/strict";

import pg from "pg";

const connectionString = process.argv[2];
// A query that would take hours.
const LONG = "select count(*) from range(1000000000000) r where r.value % 7 = 3";

async function connected(use) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

/** The error of a query that must be refused. */
async function refusal(client, query) {
  try {
    await client.query(query);
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: `not refused: ${query.text ?? query}` });
}

const checks = {
  values: () =>
    connected(async (client) => {
      const { rows, fields } = await client.query(
        "select id, price, created, reason, delayed, version from orders where id = $1 and created > $2",
        ["pizza-1", new Date(Date.now() - 3_600_000)],
      );
      assert.deepEqual(
        fields.map((field) => field.name),
        ["id", "price", "created", "reason", "delayed", "version"],
      );
      const [{ created, version, ...order }] = rows;
      assert.deepEqual(order, { id: "pizza-1", price: "23.50", reason: null, delayed: false });
      assert.ok(created instanceof Date && Date.now() - created < 3_600_000, created);
      assert.ok(Number(version) > 1, version);
    }),

  parameters: () =>
    connected(async (client) => {
      const { rows } = await client.query({
        text: "select array_agg(service_key order by service_key), $2::text, $3::bigint, $4::text from state where key = 'order' and service_key = any($1)",
        values: [["pizza-2", "pizza-1"], "it's; --", 2 ** 40, null],
        rowMode: "array",
      });
      assert.deepEqual(rows, [[["pizza-1", "pizza-2"], "it's; --", String(2 ** 40), null]]);
    }),

  // Texts that would be SQL if they were inserted into a query, or that look as if they were escaped already.
  data: () =>
    connected(async (client) => {
      for (const text of ["\\' or 1=1 --", "12'' pizza", "a\\'b", "' or '1'='1", "\\\\' or 1=1 --", '"" or 1=1', "$$ or $1"]) {
        const { rows } = await client.query({
          text: "select count(*), $1::text, $2::text[] from state where key = $1",
          values: [text, [text, null, ""]],
          rowMode: "array",
        });
        assert.deepEqual(rows, [["0", text, [text, null, ""]]]);
        const written = await client.query(
          `select ${client.escapeLiteral(text)} as ${client.escapeIdentifier(text)}`,
        );
        assert.deepEqual(written.rows, [{ [text]: text }]);
      }
    }),

  // Generated texts, as many as the second argument says.
  strings: () =>
    connected(async (client) => {
      const parts = ["'", "''", '"', "\\", "\\'", "--", "/*", "*/", "$1", "$$", "%s", "?", "{", "}", ",", ";", "\n", "\t", "NULL", "E'", "\u2019", "\x01"];
      // A small generator with a seed, so that a failure can be repeated.
      let state = 42;
      const below = (limit) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 2 ** 32) * limit);
      };
      const character = () => {
        const code = 1 + below([0x7f, 0x2ff, 0xffff, 0x10ffff][below(4)]);
        return code >= 0xd800 && code < 0xe000 ? "x" : String.fromCodePoint(code);
      };
      const text = () =>
        Array.from({ length: below(13) }, () => (below(10) < 6 ? parts[below(parts.length)] : character())).join("");
      const count = Number(process.argv[3]);
      for (let begin = 0; begin < count; begin += 50) {
        const sent = Array.from({ length: Math.min(50, count - begin) }, text);
        const columns = sent.map((_, index) => `$${index + 1}::text`);
        const { rows } = await client.query({
          text: `select ${columns.join(", ")}, $${sent.length + 1}::text[]`,
          values: [...sent, sent],
          rowMode: "array",
        });
        assert.deepEqual(rows, [[...sent, sent]]);
      }
    }),

  harmless: () =>
    connected(async (client) => {
      const terms = Array.from({ length: 2000 }, (_, i) => `key='${i}'`);
      const deep = `select count(*) from state where ${terms.join(" or ")}`;
      assert.equal((await refusal(client, deep)).code, "54001");
      assert.equal((await refusal(client, { name: "deep", text: deep })).code, "54001");
      assert.deepEqual((await client.query("select 1 as one")).rows, [{ one: 1 }]);
    }),

  prepared: () =>
    connected(async (client) => {
      const run = (key) =>
        client.query({
          name: "keys",
          text: "select component, key from state where component_key = $1 order by 1, 2",
          values: [key],
        });
      const [first, none, again] = [await run("pizza-1"), await run("nobody"), await run("pizza-1")];
      assert.ok(first.rowCount > 0);
      assert.equal(none.rowCount, 0);
      assert.deepEqual(again.rows, first.rows);
      const binary = await client.query({
        text: "select service_key, value from state where key = 'order' order by 1",
        binary: true,
      });
      assert.equal(JSON.parse(binary.rows[0].value).orderId, "pizza-1");
    }),

  pooled: async () => {
    const pool = new pg.Pool({ connectionString, max: 4 });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) => pool.query("select count(*) + $1 as n from state", [i])),
    );
    const counts = answers.map(({ rows }, i) => Number(rows[0].n) - i);
    assert.ok(counts.every((count) => count > 0), counts);
    await pool.end();
  },

  refused: () =>
    connected(async (client) => {
      for (const [query, code, position] of [
        ["selec 1", "42601", "1"],
        ["select nope from state", "42703", "8"],
        [{ text: "select * from nope where 1 = $1", values: [1] }, "42P01", "15"],
        ["update state set key = 'x'", "25006", undefined],
      ]) {
        const error = await refusal(client, query);
        assert.deepEqual([error.code, error.position], [code, position]);
      }
      assert.deepEqual((await client.query("select 1 as one")).rows, [{ one: 1 }]);
    }),

  cancelled: () =>
    connected(async (client) => {
      const running = refusal(client, LONG);
      // A cancel request that arrives before the query has begun has no effect.
      const cancelling = setInterval(() => {
        const canceller = new pg.Client({ connectionString });
        canceller.on("error", () => {});
        canceller.cancel(client, client._activeQuery ?? client.activeQuery);
      }, 50);
      assert.equal((await running).code, "57014");
      clearInterval(cancelling);
    }),
};

for (const [name, check] of Object.entries(checks)) {
  await check();
  console.log(name);
}
process.exit();
