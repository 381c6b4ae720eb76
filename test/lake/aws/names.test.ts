// Zones become databases where a statement names a table, and nowhere else.

import { describe, expect, test } from 'vitest'
import { qualifyTables, readStatement } from '../../../lib/lake/aws/names.ts'
import { QueryError } from '../../../lib/lake/errors.ts'

const DATABASES = { clean: 'dev_1_clean', curated: 'dev_1_curated', ops: 'dev_1_ops' }
const qualified = (sql: string) => qualifyTables(sql, DATABASES)

/** In the statements below ^ stands where the database must appear, and is not there in what the user writes. */
const STATEMENTS = [
  'SELECT * FROM ^clean.parts',
  'select count(*) from ^clean.parts p where p.id > 1',
  'SELECT ^clean.parts.id FROM ^clean.parts',
  'SELECT ^clean.parts.* FROM ^clean.parts',
  'SELECT a.clean, clean FROM ^clean.parts a',
  'SELECT ^clean.parts.address.zip, ^clean.parts.tags[1] FROM ^clean.parts',
  "SELECT 'clean.parts', 'FROM clean.parts', x FROM ^clean.parts WHERE y = 'it''s clean.parts'",
  'SELECT "clean.parts" FROM ^clean.parts',
  '-- FROM clean.parts\nSELECT 1 /* FROM clean.parts */ FROM ^clean.parts -- clean.parts',
  'WITH parts AS (SELECT * FROM ^clean.parts) SELECT parts.id FROM parts',
  'WITH clean AS (SELECT 1 AS parts) SELECT clean.parts FROM clean',
  'WITH a AS (SELECT 1 x), b AS (SELECT * FROM a) SELECT * FROM b JOIN ^curated.c ON b.x = c.x',
  'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT * FROM t, ^ops.receipts',
  'SELECT * FROM ^clean.a JOIN ^clean.b USING (id) LEFT JOIN ^curated.c ON ^clean.a.id = ^curated.c.id',
  'SELECT * FROM ^clean.a, ^clean.b, (^clean.c CROSS JOIN ^clean.d)',
  'SELECT * FROM ((^clean.a))',
  'SELECT * FROM ^clean.a NATURAL JOIN ^clean.b',
  'SELECT (SELECT max(x) FROM ^clean.b) FROM ^clean.a',
  'SELECT * FROM (SELECT * FROM (SELECT * FROM ^clean.a) x) y',
  'SELECT * FROM ^clean.a WHERE id IN (SELECT id FROM ^clean.b WHERE ^clean.b.x = ^clean.a.y)',
  'SELECT * FROM ^clean.a o WHERE EXISTS (SELECT 1 FROM ^clean.a WHERE ^clean.a.id = o.id)',
  'SELECT clean.parts.id FROM ^curated.x AS clean WHERE EXISTS (SELECT 1 FROM ^clean.parts)',
  'SELECT clean.parts.id FROM (SELECT CAST(ROW(1) AS ROW(id bigint)) AS parts) AS clean',
  'SELECT clean.parts FROM (VALUES (1)) AS clean(parts)',
  'SELECT 1 FROM ^clean.a UNION ALL SELECT 2 FROM ^clean.b EXCEPT SELECT 3 FROM ^ops.rejects',
  '(SELECT * FROM ^clean.a) UNION (SELECT * FROM ^clean.b) ORDER BY 1 LIMIT 3',
  'SELECT tag FROM ^clean.parts CROSS JOIN UNNEST(^clean.parts.tags) AS t(tag)',
  'SELECT tag FROM ^clean.parts p CROSS JOIN UNNEST(p.tags) WITH ORDINALITY AS t(tag, n)',
  'SELECT * FROM ^clean.p, LATERAL (SELECT ^clean.p.id)',
  'SELECT sum(x) OVER (PARTITION BY ^clean.p.a ORDER BY ^clean.p.b) FROM ^clean.p',
  "SELECT transform(tags, t -> ^clean.p.x || t), try_cast(x AS decimal(10,2)), DATE '2026-01-01' FROM ^clean.p",
  'SELECT CASE ^clean.p.x WHEN 1 THEN ^clean.p.y END, extract(year FROM ^clean.p.d) FROM ^clean.p',
  'SELECT a FROM ^clean.p GROUP BY ROLLUP (^clean.p.a) HAVING max(^clean.p.b) > 1 ORDER BY ^clean.p.a',
  "SELECT '📈 ünï', clean FROM ^clean.parts WHERE name = '🎉' AND ^clean.parts.id = 1",
  'SELECT\n  *\nFROM\n  ^clean  .  parts',
  'SELECT * FROM ^clean/* the zone */.parts',
  'SELECT * FROM ^clean."parts$partitions"',
  "SELECT * FROM ^clean.parts FOR TIMESTAMP AS OF TIMESTAMP '2026-01-01 00:00:00'",
  'SELECT * FROM ^clean.parts TABLESAMPLE BERNOULLI (10)',
  'SELECT * FROM awsdatacatalog.^clean.parts',
  'SELECT * FROM dev_1_clean.parts',
  'SELECT table_name FROM information_schema.tables',
  'SELECT * FROM TABLE(sequence(1, 3))',
  'SELECT * FROM TABLE(f(TABLE(^clean.parts)))',
  'VALUES (1, 2), (3, 4)',
  'SELECT 1',
  'DESCRIBE ^clean.parts',
  'SHOW TABLES IN ^clean',
  'SHOW TABLES',
  'SHOW DATABASES',
  'SHOW COLUMNS IN ^clean.parts',
  'SHOW CREATE TABLE ^clean.parts',
  'EXPLAIN SELECT * FROM ^clean.parts',
  'EXPLAIN ANALYZE SELECT ^clean.parts.id FROM ^clean.parts',
  'SELECT * FROM ^clean.parts;',
  'SHOW PARTITIONS ^clean.parts',
  'SHOW TBLPROPERTIES ^clean.parts',
  'SHOW STATS FOR ^clean.parts',
  'SHOW SCHEMAS',
  'DESCRIBE FORMATTED ^clean.parts',
  'EXPLAIN (TYPE IO, FORMAT JSON) SELECT (1), x FROM ^clean.parts',
  'EXPLAIN ANALYZE VERBOSE SELECT * FROM ^clean.parts',
  // A backslash is a character like any other, and a lone carriage return ends a line.
  "SELECT '\\', 'clean.parts' FROM ^clean.parts WHERE a LIKE '%\\_%' ESCAPE '\\'",
  "SELECT 'a''b\\''' FROM ^clean.parts",
  'SELECT 1 -- clean.parts\rFROM ^clean.parts',
  'SELECT 1,\r\n 2 -- FROM clean.x\r\nFROM ^clean.parts',
  // What analysts write.
  'SELECT a, count(*) FILTER (WHERE b > 1) FROM ^clean.p GROUP BY GROUPING SETS ((a), ())',
  "SELECT listagg(a, ',') WITHIN GROUP (ORDER BY ^clean.p.a) FROM ^clean.p",
  'SELECT lag(a) IGNORE NULLS OVER w FROM ^clean.p WINDOW w AS (PARTITION BY b ORDER BY ^clean.p.c)',
  "SELECT date_add('day', -1, d), d - INTERVAL '1' MONTH, x AT TIME ZONE 'UTC', ARRAY[1][1], MAP(ARRAY['a'], ARRAY[1])['a'] FROM ^clean.p",
  "SELECT json_value(x, 'lax $.clean.parts'), reduce(tags, 0, (s, t) -> s + 1, s -> s) FROM ^clean.p",
  'SELECT a FROM ^clean.p OFFSET 5 ROWS FETCH FIRST 3 ROWS ONLY',
  'SELECT "$path", "from" AS "select" FROM ^clean.p WHERE (a, b) IN (SELECT c, d FROM ^clean.q)',
  'SELECT * FROM ^clean.p MATCH_RECOGNIZE (PARTITION BY a ORDER BY b MEASURES A.x AS y PATTERN (A B*) DEFINE B AS B.x > 1)',
]

describe('zones become databases', () => {
  test.each(STATEMENTS)('%s', async (marked) => {
    const written = marked.replaceAll('^', '')
    expect(await qualified(written)).toBe(marked.replaceAll(/\^(\w+)/g, 'dev_1_$1'))
  })

  test.each([
    ['SELECT * FROM "clean"."parts"', 'SELECT * FROM dev_1_clean."parts"'],
    ['SELECT "clean"."parts".* FROM "clean"."parts"', 'SELECT dev_1_clean."parts".* FROM dev_1_clean."parts"'],
    ['SELECT CLEAN.Parts.Id FROM Clean.PARTS', 'SELECT dev_1_clean.Parts.Id FROM dev_1_clean.PARTS'],
    ['DESCRIBE `clean`.`parts`', 'DESCRIBE dev_1_clean.`parts`'],
  ])('%s, whatever its quotes and its case', async (written, wanted) => {
    expect(await qualified(written)).toBe(wanted)
  })

  test('again changes nothing more', async () => {
    for (const marked of STATEMENTS) {
      const once = await qualified(marked.replaceAll('^', ''))
      expect(await qualified(once)).toBe(once)
    }
  })

  test('what a statement means stays as it is: but for the databases, both are read as the same', async () => {
    const { Dialect, parse } = await import('@polyglot-sql/sdk')
    const tree = (sql: string) =>
      JSON.stringify(parse(sql, Dialect.Trino).ast, (key, value) => (key === 'span' ? undefined : value))
    let compared = 0
    for (const marked of STATEMENTS) {
      const written = marked.replaceAll('^', '')
      if (!parse(written, Dialect.Trino).success || written.includes('dev_1_')) continue
      expect(tree(await qualified(written)).replaceAll('dev_1_', '')).toBe(tree(written))
      compared++
    }
    expect(compared).toBeGreaterThan(60)
  })

  test('kinds and zones are known', async () => {
    const kinds = async (sql: string) => {
      const { kind, zones } = await readStatement(sql, DATABASES)
      return [kind, ...zones].join(' ')
    }
    expect(await kinds('SELECT * FROM clean.a JOIN ops.receipts ON true')).toBe('select clean ops')
    expect(await kinds('SELECT * FROM dev_1_curated.a')).toBe('select curated')
    expect(await kinds('SHOW TABLES IN ops')).toBe('show ops')
    expect(await kinds('SHOW PARTITIONS clean.a')).toBe('show clean')
    expect(await kinds('DESCRIBE clean.a')).toBe('describe clean')
    expect(await kinds('EXPLAIN SELECT 1')).toBe('explain')
  })

  test('tables are known, whatever they are called by', async () => {
    const { tables } = await readStatement(
      'WITH a AS (SELECT 1) SELECT * FROM a, CLEAN.Parts p, dev_1_ops.receipts, TABLE(f(TABLE(clean.x)))',
      DATABASES,
    )
    expect([...tables]).toEqual(['clean.parts', 'ops.receipts', 'clean.x'])
  })

  test('a place in the new statement leads back to the old one', async () => {
    const { sql, origin } = await readStatement("SELECT 1,\n '📈', clean.p.x FROM clean.p WHERE nope", DATABASES)
    const [, second = ''] = sql.split('\n')
    const column = Array.from(second).join('').indexOf('nope')
    // One of the characters counts twice in JavaScript, and once for Athena.
    expect(origin(2, column)).toEqual({ line: 2, column: " '_', clean.p.x FROM clean.p WHERE ".length + 1 })
    expect(origin(1, 8)).toEqual({ line: 1, column: 8 })
    expect(origin(7, 1)).toEqual({ line: 7, column: 1 })
  })
})

describe('earlier versions of curated tables', () => {
  test.each([
    ["SELECT * FROM ^curated.o FOR VERSION AS OF '77' AS x", 'SELECT * FROM ^curated.o FOR VERSION AS OF 77 AS x'],
    ['SELECT * FROM ^curated.o FOR VERSION AS OF 77', 'SELECT * FROM ^curated.o FOR VERSION AS OF 77'],
    [
      `SELECT a.id FROM ^curated."o" /* x */ FOR\n VERSION AS OF '1' AS a JOIN ^curated.o FOR VERSION AS OF '2' b ON a.id = b.id`,
      `SELECT a.id FROM ^curated."o" /* x */ FOR\n VERSION AS OF 1 AS a JOIN ^curated.o FOR VERSION AS OF 2 b ON a.id = b.id`,
    ],
    [
      "SELECT * FROM ^curated.o FOR TIMESTAMP AS OF (current_timestamp - INTERVAL '1' DAY)",
      "SELECT * FROM ^curated.o FOR TIMESTAMP AS OF (current_timestamp - INTERVAL '1' DAY)",
    ],
    // A table that has never had a row has no snapshot.
    [
      "SELECT o.id FROM ^curated.o FOR VERSION AS OF '0'",
      'SELECT o.id FROM (SELECT * FROM ^curated.o WHERE false) AS o',
    ],
    [
      "SELECT d.id FROM ^curated.o FOR VERSION AS OF '0' AS d",
      'SELECT d.id FROM (SELECT * FROM ^curated.o WHERE false) AS d',
    ],
    // What a run has stored is looked at by its whole name.
    ['SELECT m.id FROM "dev_1_curated_versions"."m_1" AS m', 'SELECT m.id FROM "dev_1_curated_versions"."m_1" AS m'],
  ])('%s', async (written, sent) => {
    expect(await qualified(written.replaceAll('^', ''))).toBe(sent.replaceAll('^', 'dev_1_'))
  })

  test.each([
    ["SELECT * FROM clean.o FOR VERSION AS OF '1'", /^clean\.o has no history \(line 1, column 21\)/],
    [
      "SELECT * FROM curated.o FOR VERSION AS OF 'x'",
      /^'x' is no version of curated\.o \(line 1, column 43\): write the id of a snapshot, as in ops\.runs\.$/,
    ],
    ['SELECT * FROM other_curated_versions.m_1', /There is no zone other_curated_versions/],
  ])('%s is refused', async (sql, message) => {
    await expect(qualified(sql)).rejects.toThrow(message)
  })
})

describe('what may not run is refused with a reason', () => {
  test.each([
    ['', /There is no SQL statement/],
    ['-- nothing', /There is no SQL statement/],
    [';', /There is no SQL statement|cannot be read/],
    ['SELECT 1; SELECT 2', /There are 2 SQL statements; a query is one/],
    ['SELECT 1; DROP TABLE clean.parts', /There are 2 SQL statements/],
    ['SELEC 1', /The SQL cannot be read: .*line 1, column/],
    ['SELECT * FROM landing.parts', /There is no zone landing .*\(line 1, column 15\).*clean, curated, ops/],
    ['SELECT * FROM other.parts', /There is no zone other/],
    ['SELECT * FROM constructor.parts', /There is no zone constructor/],
    ['SELECT 1,\n  (SELECT 2 FROM nope.parts)', /\(line 2, column 18\)/],
    ['SHOW TABLES IN landing', /There is no zone landing/],
    ['SELECT * FROM parts', /The table parts needs its zone \(line 1, column 15\): write clean\.parts, curated\.parts/],
    ['WITH a AS (SELECT 1) SELECT * FROM a JOIN b ON true', /The table b needs its zone/],
    ['SELECT * FROM (WITH a AS (SELECT 1) SELECT * FROM a), a', /The table a needs its zone/],
    ['SELECT * FROM lambda_catalog.clean.parts', /There is no catalog lambda_catalog/],
    ['SELECT * FROM a.b.clean.parts', /There is no catalog a\.b/],
    ['INSERT INTO clean.parts SELECT 1', /INSERT is not allowed: a query only reads\. Start it with SELECT/],
    ['WITH a AS (SELECT 1) INSERT INTO clean.parts SELECT * FROM a', /INSERT is not allowed/],
    ['DELETE FROM clean.parts', /DELETE is not allowed/],
    ['UPDATE clean.parts SET a = 1', /UPDATE is not allowed/],
    ['MERGE INTO clean.a USING clean.b ON true WHEN MATCHED THEN DELETE', /MERGE is not allowed/],
    ['CREATE TABLE clean.x AS SELECT 1', /CREATE is not allowed/],
    ['CREATE VIEW clean.x AS SELECT 1', /CREATE is not allowed/],
    ['DROP TABLE clean.parts', /DROP is not allowed/],
    ['ALTER TABLE clean.parts ADD COLUMNS (x int)', /is not allowed|cannot be read/],
    ['TRUNCATE TABLE clean.parts', /TRUNCATE is not allowed/],
    ['SELECT 1 INTO clean.x', /INTO is not allowed/],
    [
      "UNLOAD (SELECT 1) TO 's3://somewhere/' WITH (format = 'PARQUET')",
      /This statement is not allowed|cannot be read/,
    ],
    ["USING EXTERNAL FUNCTION f(a INT) RETURNS INT LAMBDA 'x' SELECT f(1)", /This statement is not allowed/],
    ['EXPLAIN DELETE FROM clean.parts', /not allowed|cannot be read/],
    ['EXPLAIN ANALYZE INSERT INTO clean.parts SELECT 1', /not allowed|cannot be read/],
    ['EXECUTE prepared', /EXECUTE is not allowed/],
    ['PREPARE x FROM DELETE FROM clean.parts', /not allowed|cannot be read/],
    ['MSCK REPAIR TABLE clean.parts', /not allowed|cannot be read/],
    ['VACUUM clean.parts', /This statement is not allowed/],
    ['CALL x()', /is not allowed/],
    ['--\rINSERT INTO clean.parts\nSELECT 1', /INSERT is not allowed/],
    ['EXPLAIN ANALYZE --\rINSERT INTO clean.parts\nSELECT 1', /not allowed|cannot be read/],
    ["SELECT '\\'; DROP TABLE clean.parts --'", /There are 2 SQL statements/],
    ['EXPLAIN (TYPE IO) DELETE FROM clean.parts', /not allowed|cannot be read/],
    ['EXPLAIN (TYPE IO', /cannot be read/],
    ['SHOW PARTITIONS landing.parts', /There is no zone landing/],
    ['SET SESSION x = 1', /is not allowed/],
    ['GRANT SELECT ON clean.parts TO x', /is not allowed/],
  ])('%s', async (sql, message) => {
    const error = await qualified(sql).then(
      (result) => result,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(QueryError)
    expect((error as Error).message).toMatch(message)
  })
})
