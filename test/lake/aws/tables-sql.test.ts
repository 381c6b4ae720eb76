// Athena's statements for each kind of job, word for word; that the SQL library reads them; and that the ones that change rows do
// what the port says, as DuckDB, which has a MERGE of the same words, can tell.

import { DuckDBInstance } from '@duckdb/node-api'
import { Dialect, parse } from '@polyglot-sql/sdk'
import { afterEach, describe, expect, test } from 'vitest'
import {
  athenaStatements,
  changedSince,
  countStored,
  dropPublic,
  dropStored,
  icebergType,
  keepSnapshots,
  keptSnapshots,
  newestVersion,
  optimizeTable,
  type PublishOptions,
  presumed,
  previewOf,
  publishPieces,
  readStoredName,
  SHOWN_NAMES,
  StatementTooLong,
  showProperties,
  snapshotsSince,
  stagePieces,
  storedName,
  vacuumTable,
} from '../../../lib/lake/aws/tables-sql.ts'
import { QueryError, UnknownType } from '../../../lib/lake/errors.ts'
import type { TableJob } from '../../../lib/lake/ports.ts'

const RUN = '20260102T030405678Z-0123456789ab'
const STORED = 'orders_20260102t030405678z0123456789ab'
const column = (name: string, type: string, comment?: string) => ({ name, type, ...(comment ? { comment } : {}) })
const COLUMNS = [column('id', 'BIGINT', 'The order.'), column('d', 'DATE'), column('_upload', 'VARCHAR')]
const BASE = { id: '4512', run: 'earlier', committedAt: '2026-01-01T00:00:00.000Z', rows: null }

const job = (more: Partial<TableJob> = {}): TableJob => ({
  run: RUN,
  kind: 'entity',
  table: { name: 'curated.orders', columns: COLUMNS, partitionKeys: [] },
  partitionBy: [],
  key: ['id'],
  change: { kind: 'replace', query: 'SELECT id, d, _upload FROM clean.orders' },
  base: undefined,
  baseColumns: undefined,
  ...more,
})
const following = (more: Partial<TableJob> = {}): TableJob => job({ base: BASE, baseColumns: COLUMNS, ...more })
const table = (columns = COLUMNS) => ({ name: 'curated.orders', columns, partitionKeys: [] })

/** Every statement that this file has seen: all are read by the SQL library at the end. */
const seen = new Set<string>()
async function statements(job: TableJob, options?: PublishOptions): Promise<string[]> {
  const found = await athenaStatements(job, SHOWN_NAMES, options)
  for (const one of found) seen.add(one)
  return found
}

const CREATE = (columns: string, run = RUN) =>
  `CREATE TABLE IF NOT EXISTS \`weir_curated\`.\`orders\` (\n${columns}\n)\nLOCATION 's3://weir-curated/orders/${run}/'\n` +
  "TBLPROPERTIES ('table_type' = 'ICEBERG', 'format' = 'parquet', 'write_compression' = 'zstd', 'vacuum_max_snapshot_age_seconds' = '2592000')"
const PLAIN = "  `id` bigint COMMENT 'The order.',\n  `d` date,\n  `_upload` string"
/** Behind the rows that come to an entity table. */
const KEYED = `\nWHERE CASE WHEN q."id" IS NULL THEN CAST('a row without a key came with ' || q._upload AS boolean) ELSE true END`
const INSERT_ANY = `INSERT INTO "weir_curated"."orders" ("id", "d", "_upload")
SELECT q."id" AS "id", q."d" AS "d", q."_upload" AS "_upload"
FROM (
SELECT id, d, _upload FROM weir_clean.orders
) AS q ("id", "d", "_upload")`
const INSERT = `${INSERT_ANY}${KEYED}`
const REPLACE = `MERGE INTO "weir_curated"."orders" AS t
USING (
SELECT coalesce(n."id", o."id") AS "id", n."d", n."_upload", n._here IS NULL AS _gone
FROM (
SELECT q."id" AS "id", q."d" AS "d", q."_upload" AS "_upload", true AS _here
FROM (
SELECT id, d, _upload FROM weir_clean.orders
) AS q ("id", "d", "_upload")${KEYED}
) AS n
FULL JOIN (SELECT "id" FROM "weir_curated"."orders") AS o ON n."id" = o."id"
) AS s
ON t."id" = s."id"
WHEN MATCHED AND s._gone THEN DELETE
WHEN MATCHED AND (t."d" IS DISTINCT FROM s."d" OR t."_upload" IS DISTINCT FROM s."_upload") THEN UPDATE SET "d" = s."d", "_upload" = s."_upload"
WHEN NOT MATCHED AND NOT s._gone THEN INSERT ("id", "d", "_upload") VALUES (s."id", s."d", s."_upload")`

describe('an entity table', () => {
  test('is made, and filled by one statement', async () => {
    expect(await statements(job())).toEqual([CREATE(PLAIN), INSERT])
  })

  test('has the types, comments and partitions of Iceberg', async () => {
    const columns = [
      column('ID', 'BIGINT', "It's \\ the\n  order."),
      column('small', 'SMALLINT'),
      column('price', 'DECIMAL(10,2)'),
      column('at', 'TIMESTAMP'),
      column('address', 'STRUCT(city VARCHAR, tinyint TINYINT, seen TIMESTAMP)'),
      column('tags', 'VARCHAR[]'),
      column('notes', 'MAP(VARCHAR, SMALLINT[])'),
    ]
    const partitionBy = [
      { transform: 'month', column: 'at' },
      { transform: 'bucket', n: 16, column: 'ID' },
      { transform: 'truncate', n: 3, column: 'small' },
      { transform: 'identity', column: 'price' },
    ] as const
    const [create, insert] = await statements(job({ table: table(columns), partitionBy: [...partitionBy] }))
    expect(create).toBe(
      CREATE(
        [
          "  `id` bigint COMMENT 'It\\'s \\\\ the order.'",
          '  `small` int',
          '  `price` decimal(10,2)',
          '  `at` timestamp',
          '  `address` struct<city:string,tinyint:int,seen:timestamp>',
          '  `tags` array<string>',
          '  `notes` map<string,array<int>>',
        ].join(',\n'),
      ).replace(
        '\nLOCATION',
        '\nPARTITIONED BY (month(`at`), bucket(16, `id`), truncate(3, `small`), `price`)\nLOCATION',
      ),
    )
    expect(insert).toContain(
      'SELECT q."ID" AS "ID", CAST(q."small" AS integer) AS "small", q."price" AS "price", CAST(q."at" AS timestamp(6)) AS "at", ' +
        'CAST(q."address" AS row("city" varchar, "tinyint" integer, "seen" timestamp(6))) AS "address", ' +
        'q."tags" AS "tags", CAST(q."notes" AS map(varchar, array(integer))) AS "notes"',
    )
  })

  test('takes what changed by one MERGE: newest wins, and only rows whose upload left give way to older ones', async () => {
    const change = (left: string[]) =>
      statements(
        following({ change: { kind: 'merge', query: 'SELECT id, d, _upload, _gone FROM clean.x', newest: { left } } }),
      )
    expect(await change(['u1', "u'2"])).toEqual([
      `MERGE INTO "weir_curated"."orders" AS t
USING (
SELECT q."id" AS "id", q."d" AS "d", q."_upload" AS "_upload", q._gone
FROM (
SELECT id, d, _upload, _gone FROM weir_clean.x
) AS q ("id", "d", "_upload", _gone)${KEYED}
) AS s
ON t."id" = s."id"
WHEN MATCHED AND s._gone AND (s._upload >= t._upload OR t._upload IN ('u1', 'u''2')) THEN DELETE
WHEN MATCHED AND NOT s._gone AND (s._upload >= t._upload OR t._upload IN ('u1', 'u''2')) THEN UPDATE SET "d" = s."d", "_upload" = s."_upload"
WHEN NOT MATCHED AND NOT s._gone THEN INSERT ("id", "d", "_upload") VALUES (s."id", s."d", s."_upload")`,
    ])
    const [nothingLeft] = await change([])
    expect(nothingLeft).toContain('WHEN MATCHED AND s._gone AND (s._upload >= t._upload) THEN DELETE\n')
  })

  test('of rows that only add up takes them by an INSERT, or by one MERGE where others leave', async () => {
    const append = (left: string[]) =>
      statements(
        following({ key: [], change: { kind: 'append', query: 'SELECT id, d, _upload FROM clean.orders', left } }),
      )
    expect(await append([])).toEqual([INSERT_ANY])
    expect(await append(['u1', 'u2'])).toEqual([
      `MERGE INTO "weir_curated"."orders" AS t
USING (
SELECT q."id" AS "id", q."d" AS "d", q."_upload" AS "_upload", CAST(NULL AS varchar) AS _left
FROM (
SELECT id, d, _upload FROM weir_clean.orders
) AS q ("id", "d", "_upload")
UNION ALL
SELECT NULL AS "id", NULL AS "d", NULL AS "_upload", w._left FROM (SELECT l._left FROM (VALUES ('u1'), ('u2')) AS l (_left)) AS w
) AS s
ON t._upload = s._left
WHEN MATCHED THEN DELETE
WHEN NOT MATCHED AND s._left IS NULL THEN INSERT ("id", "d", "_upload") VALUES (s."id", s."d", s."_upload")`,
    ])
  })

  test('is made anew by one MERGE too, so that readers never find it empty', async () => {
    expect(await statements(following())).toEqual([REPLACE])
    const [unkeyed] = await statements(following({ key: [] }))
    expect(unkeyed).toContain('w._left FROM (SELECT DISTINCT _upload AS _left FROM "weir_curated"."orders") AS w\n')
    const keys = [column('id', 'BIGINT'), column('_upload', 'VARCHAR')]
    const [keysOnly] = await statements(following({ key: ['id', '_upload'], table: table(keys), baseColumns: keys }))
    expect(keysOnly).not.toContain('UPDATE')
  })

  test('gets new columns, wider types and other words before its rows', async () => {
    const before = [column('id', 'INTEGER', 'The order.'), column('d', 'DATE', 'Gone.'), column('_upload', 'VARCHAR')]
    const after = [...COLUMNS, column('note', 'VARCHAR', 'New.'), column('n', 'DOUBLE')]
    const change: TableJob['change'] = { kind: 'merge', query: 'SELECT 1', newest: { left: [] } }
    const evolve = job({ base: BASE, baseColumns: before, table: table(after), change })
    const alter = 'ALTER TABLE `weir_curated`.`orders`'
    const altered = [
      `${alter} ADD COLUMNS (\`note\` string, \`n\` double)`,
      `${alter} CHANGE COLUMN \`note\` \`note\` string COMMENT 'New.'`,
      `${alter} CHANGE COLUMN \`id\` \`id\` bigint COMMENT 'The order.'`,
      `${alter} CHANGE COLUMN \`d\` \`d\` date COMMENT ''`,
    ]
    const found = await statements(evolve)
    expect(found.slice(0, -1)).toEqual(altered)
    expect(found.at(-1)).toMatch(/^MERGE INTO/)
    // A run before has done some of it, and then failed.
    const half = { ...presumed(evolve), columns: { id: 'bigint', d: 'date', _upload: 'string', note: 'string' } }
    expect((await statements(evolve, { found: half })).slice(0, -1)).toEqual([
      `${alter} ADD COLUMNS (\`n\` double)`,
      altered[1],
      altered[3],
    ])
  })

  test('that cannot become what a new major version says is dropped and made, and a dry run says so', async () => {
    const before = [column('id', 'VARCHAR'), column('d', 'DATE'), column('_upload', 'VARCHAR')]
    expect(await statements(following({ baseColumns: before }))).toEqual([
      '-- It cannot become this: the column id becomes BIGINT, and is VARCHAR. Until the last statement readers find nothing, or no rows; its history ends here.\nDROP TABLE IF EXISTS `weir_curated`.`orders`',
      CREATE(PLAIN),
      INSERT,
    ])
    const found = presumed(following())
    for (const other of [{ key: ['d'] }, { key: [] }, { partitionBy: ['month(d)'] }]) {
      const [drop, , insert] = await statements(following(), { found: { ...found, ...other } })
      expect(drop).toMatch(
        /^-- It cannot become this: (its key becomes another one|it becomes partitioned otherwise)\./,
      )
      expect(insert).toBe(INSERT)
    }
  })

  test('that is there and was never published is no base for anything', async () => {
    const found = { ...presumed(job()), there: 'table' } as const
    expect(await statements(job(), { found })).toEqual([
      '-- It was never published: what is in it may be half of something.\nDROP TABLE IF EXISTS `weir_curated`.`orders`',
      CREATE(PLAIN),
      INSERT,
    ])
  })

  test('that is gone, or is another one, takes no changes', async () => {
    const change = { kind: 'merge', query: 'SELECT 1' } as const
    const gone = { ...presumed(following()), there: 'nothing' } as const
    await expect(statements(following({ change }), { found: gone })).rejects.toThrow(
      'The table curated.orders is not there any more, although a version of it was published. Make it anew: weir curate --table orders --full',
    )
    await expect(statements(following({ change, baseColumns: [...COLUMNS, column('x', 'DATE')] }))).rejects.toThrow(
      'curated.orders cannot become what is asked for: the column x goes away. Make it anew',
    )
    // What is made anew needs nothing that was there.
    expect(await statements(following(), { found: gone })).toEqual([CREATE(PLAIN), INSERT])
  })
})

const CTAS = (query: string, more = '', location = STORED) =>
  `CREATE TABLE "weir_curated_versions"."${location}"\n` +
  `WITH (table_type = 'ICEBERG', is_external = false, format = 'PARQUET', write_compression = 'ZSTD', location = 's3://weir-curated/_stored/${location}/'${more})\n` +
  `AS SELECT q."id" AS "id", q."d" AS "d", q."_upload" AS "_upload"\nFROM (\n${query}\n) AS q ("id", "d", "_upload")`
const VIEW = `CREATE OR REPLACE VIEW "weir_curated"."orders" AS\nSELECT "id", "d", "_upload" FROM "weir_curated_versions"."${STORED}"`
const query = 'SELECT o.id, o.d, o._upload FROM curated.x AS o -- all of them'
const qualified = query.replace('curated.', 'weir_curated.')

describe('a model that is a table', () => {
  const model = (more: Partial<TableJob> = {}) =>
    job({ kind: 'table', key: [], change: { kind: 'replace', query }, ...more })

  test('is stored beside the one that readers see, who are then shown the new one', async () => {
    const hidden = '-- No reader sees it.\n'
    expect(await statements(model())).toEqual([hidden + CTAS(qualified), VIEW])
    expect(await statements(model({ base: { ...BASE, id: STORED }, baseColumns: COLUMNS }))).toEqual([
      hidden + CTAS(qualified),
      VIEW,
    ])
    expect(previewOf(model(), SHOWN_NAMES, STORED)).toBe(`"weir_curated_versions"."${STORED}"`)
  })

  test('is laid out by hidden partitions, in the words of CREATE TABLE AS', async () => {
    const partitionBy = [
      { transform: 'month', column: 'd' },
      { transform: 'bucket', n: 16, column: 'id' },
      { transform: 'identity', column: 'An "odd" name' },
    ] as const
    const [piece] = await stagePieces(model({ partitionBy: [...partitionBy] }), SHOWN_NAMES)
    expect(piece?.sql).toBe(
      CTAS(qualified, `, partitioning = ARRAY['month(d)', 'bucket(id, 16)', '"an ""odd"" name"']`),
    )
  })

  test('is stored under another name by each try', async () => {
    const [piece] = await stagePieces(model(), SHOWN_NAMES, 2)
    expect(piece?.sql).toBe(CTAS(qualified, '', `${STORED}_2`))
    const [view] = await publishPieces(model(), SHOWN_NAMES, { stored: `${STORED}_2` })
    expect(view?.sql).toContain(`FROM "weir_curated_versions"."${STORED}_2"`)
    for (const [attempt, name] of [STORED, `${STORED}_2`].entries()) {
      expect(storedName(model(), attempt + 1)).toBe(name)
      expect(readStoredName(name)).toEqual({ table: 'orders', run: RUN })
    }
    expect(readStoredName('orders')).toBeUndefined()
  })

  test('whose name was that of a table takes its place', async () => {
    expect((await statements(model({ base: BASE, baseColumns: COLUMNS })))[1]).toBe(
      '-- The name was that of a table: until the next statement there is nothing under it.\nDROP TABLE IF EXISTS `weir_curated`.`orders`',
    )
  })
})

test('a model that is a view is that view', async () => {
  const view = job({ kind: 'view', key: [], change: { kind: 'view', query } })
  expect(await statements(view)).toEqual([`CREATE OR REPLACE VIEW "weir_curated"."orders" AS\n${qualified}`])
  expect(previewOf(view, SHOWN_NAMES, '')).toBe(`(\n${query}\n)`)
})

describe('an incremental model', () => {
  const full = { kind: 'replace', query } as const
  const changed = { kind: 'merge', query: "SELECT 1 FROM curated.orders_of FOR VERSION AS OF '77' AS b" } as const

  test('stores the rows of the keys that changed, is tested with them, and takes them', async () => {
    const incremental = following({ kind: 'incremental', change: changed })
    const [stored, merge] = await statements(incremental)
    expect(stored).toBe(
      '-- No reader sees it.\n' +
        CTAS('SELECT 1 FROM weir_curated.orders_of FOR VERSION AS OF 77 AS b')
          .replace('q."_upload" AS "_upload"', 'q."_upload" AS "_upload", q._gone')
          .replace('"_upload")', '"_upload", _gone)'),
    )
    expect(merge).toBe(`MERGE INTO "weir_curated"."orders" AS t
USING (
SELECT q."id" AS "id", q."d" AS "d", q."_upload" AS "_upload", q._gone
FROM (
SELECT * FROM "weir_curated_versions"."${STORED}"
) AS q ("id", "d", "_upload", _gone)
) AS s
ON t."id" = s."id"
WHEN MATCHED AND s._gone THEN DELETE
WHEN MATCHED AND NOT s._gone THEN UPDATE SET "d" = s."d", "_upload" = s."_upload"
WHEN NOT MATCHED AND NOT s._gone THEN INSERT ("id", "d", "_upload") VALUES (s."id", s."d", s."_upload")`)
    expect(previewOf(incremental, SHOWN_NAMES, STORED)).toBe(
      `(SELECT t."id", t."d", t."_upload" FROM curated."orders" AS t WHERE NOT EXISTS (SELECT 1 FROM "weir_curated_versions"."${STORED}" AS s WHERE s."id" = t."id")` +
        ` UNION ALL SELECT s."id", s."d", s."_upload" FROM "weir_curated_versions"."${STORED}" AS s WHERE NOT s._gone)`,
    )
  })

  test('is made from what was stored, the first time and whenever all of it is made anew', async () => {
    const stored = `SELECT * FROM "weir_curated_versions"."${STORED}"`
    const cleanRows = 'SELECT id, d, _upload FROM weir_clean.orders'
    const first = await statements(job({ kind: 'incremental', change: full }))
    expect(first).toEqual([
      `-- No reader sees it.\n${CTAS(qualified)}`,
      CREATE(PLAIN),
      INSERT_ANY.replace(cleanRows, stored),
    ])
    const again = await statements(following({ kind: 'incremental', change: full }))
    expect(again).toEqual([
      `-- No reader sees it.\n${CTAS(qualified)}`,
      REPLACE.replace(cleanRows, stored).replace(KEYED, ''),
    ])
  })

  test('that was a view, or a table of views, becomes a table', async () => {
    const [, drop, create] = await statements(
      job({ kind: 'incremental', change: full, base: { ...BASE, id: STORED }, baseColumns: COLUMNS }),
    )
    expect(drop).toBe(
      '-- The name was that of a view: until the last statement readers find nothing, or no rows.\nDROP VIEW IF EXISTS "weir_curated"."orders"',
    )
    expect(create).toBe(CREATE(PLAIN))
  })
})

describe('what cannot be a statement', () => {
  test('is one that is longer than Athena takes', async () => {
    const left = Array.from({ length: 4000 }, (_, n) => `20260102T030405678Z-${String(n).padStart(12, '0')}`)
    const change = { kind: 'merge', query: 'SELECT 1', newest: { left } } as const
    const error = await statements(following({ change })).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(StatementTooLong)
    expect((error as Error).message).toMatch(
      /^A statement for curated\.orders is \d{6} bytes long, and Athena takes 262144\. It names too many uploads: make the table anew, which names fewer: weir curate --table orders --full$/,
    )
  })

  test('is none that does more than read, and none with a type that Athena has not', async () => {
    await expect(statements(job({ change: { kind: 'replace', query: 'DROP TABLE clean.orders' } }))).rejects.toThrow(
      /DROP is not allowed/,
    )
    await expect(statements(job({ change: { kind: 'replace', query: 'SHOW TABLES' } }))).rejects.toThrow(QueryError)
    await expect(statements(job({ table: table([column('id', 'HUGEINT')]) }))).rejects.toThrow(UnknownType)
    await expect(
      statements(following({ key: [], table: table([column('id', 'BIGINT')]), baseColumns: [column('id', 'BIGINT')] })),
    ).rejects.toThrow('curated.orders has neither a key nor _upload, so its rows cannot be replaced at once.')
  })
})

test('what is asked beside the work: versions, counts, maintenance', () => {
  expect(icebergType('TINYINT')).toBe('int')
  expect(newestVersion(job(), SHOWN_NAMES)).toBe(
    'SELECT CAST(s.snapshot_id AS varchar) AS snapshot, to_iso8601(s.committed_at) AS committed, (SELECT count(*) FROM "weir_curated"."orders") AS n\n' +
      'FROM "weir_curated"."orders$snapshots" AS s ORDER BY s.committed_at DESC LIMIT 1',
  )
  expect(changedSince(job(), SHOWN_NAMES, new Date('2026-01-02T03:04:05.678Z'))).toBe(
    'SELECT count(*) AS n FROM "weir_curated"."orders$snapshots" AS s ' +
      "WHERE s.operation <> 'replace' AND s.committed_at >= TIMESTAMP '2026-01-02 03:04:05.678 UTC'",
  )
  expect(countStored(SHOWN_NAMES, STORED)).toBe(`SELECT count(*) AS n FROM "weir_curated_versions"."${STORED}"`)
  expect(snapshotsSince(SHOWN_NAMES, 'orders', ['12', '7'])).toBe(
    'SELECT count(*) AS n FROM "weir_curated"."orders$snapshots" AS s WHERE s.committed_at >= (SELECT min(o.committed_at) ' +
      `FROM "weir_curated"."orders$snapshots" AS o WHERE CAST(o.snapshot_id AS varchar) IN ('12', '7'))`,
  )
  expect(showProperties(SHOWN_NAMES, 'orders')).toBe('SHOW TBLPROPERTIES `weir_curated`.`orders`')
  expect(keepSnapshots(SHOWN_NAMES, 'orders', 11)).toBe(
    "ALTER TABLE `weir_curated`.`orders` SET TBLPROPERTIES ('vacuum_min_snapshots_to_keep' = '11')",
  )
  expect(keptSnapshots('format\tPARQUET vacuum_min_snapshots_to_keep\t25 x\t3')).toBe(25)
  expect(keptSnapshots('vacuum_max_snapshot_age_seconds\t25')).toBeUndefined()
  expect(optimizeTable(SHOWN_NAMES, 'orders')).toBe('OPTIMIZE weir_curated.orders REWRITE DATA USING BIN_PACK')
  expect(vacuumTable(SHOWN_NAMES, 'orders')).toBe('VACUUM weir_curated.orders')
  expect(vacuumTable(SHOWN_NAMES, '_orders')).toBe('VACUUM weir_curated.`_orders`')
  expect(dropStored(SHOWN_NAMES, STORED)).toBe(`DROP TABLE IF EXISTS \`weir_curated_versions\`.\`${STORED}\``)
  expect(dropPublic(SHOWN_NAMES, 'orders', 'view')).toBe('DROP VIEW IF EXISTS "weir_curated"."orders"')
  expect(dropPublic(SHOWN_NAMES, 'orders', 'table')).toBe('DROP TABLE IF EXISTS `weir_curated`.`orders`')
})

describe('rows', () => {
  type Row = [id: number | null, d: string | null, upload: string]
  const opened: { closeSync(): void }[] = []
  afterEach(() => {
    for (const one of opened.splice(0)) one.closeSync()
  })

  /** What a table holds after the last statement of a job, run by DuckDB as it is. `coming`: the rows of the query, with _gone. */
  async function rowsAfter(rows: Row[], coming: (Row | [...Row, boolean])[], made: TableJob): Promise<unknown[][]> {
    const instance = await DuckDBInstance.create(':memory:')
    const db = await instance.connect()
    opened.push(db, instance)
    const list = (values: (Row | [...Row, boolean])[]) =>
      values
        .map((row) => `(${row.map((one) => (typeof one === 'string' ? `'${one}'` : String(one))).join(', ')})`)
        .join(', ')
    await db.run('CREATE SCHEMA weir_curated; CREATE SCHEMA weir_clean')
    await db.run('CREATE TABLE weir_curated.orders (id BIGINT, d DATE, _upload VARCHAR)')
    await db.run('CREATE TABLE weir_clean.orders (id BIGINT, d DATE, _upload VARCHAR, _gone BOOLEAN)')
    if (rows.length > 0) await db.run(`INSERT INTO weir_curated.orders VALUES ${list(rows)}`)
    const all = coming.map((row) => (row.length === 4 ? row : ([...row, false] as [...Row, boolean])))
    if (all.length > 0) await db.run(`INSERT INTO weir_clean.orders VALUES ${list(all)}`)
    const found = await athenaStatements(made)
    await db.run(found.at(-1) ?? '')
    const answer = await db.runAndReadAll(
      'SELECT id, CAST(d AS VARCHAR), _upload FROM weir_curated.orders ORDER BY ALL',
    )
    return answer.getRowsJson().map(([id, ...rest]) => [Number(id), ...rest])
  }
  const [a, b, c] = ['2026-01-01', '2026-01-02', '2026-01-03']
  const GONE = 'SELECT id, d, _upload, _gone FROM clean.orders'
  const PLAIN_QUERY = 'SELECT id, d, _upload FROM clean.orders'
  const merging = (left?: string[]) =>
    following({ change: { kind: 'merge', query: GONE, ...(left ? { newest: { left } } : {}) } })

  test('are merged by key: newest wins, unless its upload left', async () => {
    const rows: Row[] = [
      [1, a, 'u2'],
      [2, a, 'u2'],
      [3, a, 'u5'],
      [4, a, 'u5'],
      [5, a, 'u5'],
      [6, a, 'u9'],
    ]
    const coming: (Row | [...Row, boolean])[] = [
      [1, b, 'u3'], // newer
      [2, null, 'u1'], // older: stays as it is
      [3, b, 'u1'], // older, but what is there left
      [4, null, '', true], // nobody else has it
      [7, c, 'u3'], // new
      [8, null, '', true], // not there, and stays away
      [6, null, '', true], // its upload has not left
    ]
    const kept = [
      [1, b, 'u3'],
      [2, a, 'u2'],
      [3, b, 'u1'],
      [5, a, 'u5'],
      [6, a, 'u9'],
      [7, c, 'u3'],
    ]
    expect(await rowsAfter(rows, coming, merging(['u5']))).toEqual(kept)
    // Done twice it is done once.
    expect(await rowsAfter(kept as Row[], coming, merging(['u5']))).toEqual(kept)
    // The same upload again, stored anew under another contract.
    expect(await rowsAfter([[1, a, 'u2']], [[1, b, 'u2']], merging([]))).toEqual([[1, b, 'u2']])
  })

  test('of a model are taken as they come', async () => {
    const coming: (Row | [...Row, boolean])[] = [
      [1, b, 'u1'],
      [2, null, 'u1', true],
      [3, c, 'u1'],
      [9, null, 'u1', true],
    ]
    expect(
      await rowsAfter(
        [
          [1, a, 'u9'],
          [2, a, 'u9'],
          [4, a, 'u9'],
        ],
        coming,
        merging(),
      ),
    ).toEqual([
      [1, b, 'u1'],
      [3, c, 'u1'],
      [4, a, 'u9'],
    ])
  })

  test('that only add up come, those whose upload left go, and an upload that is stored anew does both', async () => {
    const rows: Row[] = [
      [1, a, 'u1'],
      [1, a, 'u1'],
      [2, a, 'u2'],
      [3, a, 'u3'],
    ]
    const coming: Row[] = [
      [2, b, 'u2'],
      [4, b, 'u4'],
      [4, b, 'u4'],
    ]
    const append = (left: string[]) => following({ key: [], change: { kind: 'append', query: PLAIN_QUERY, left } })
    const kept = [
      [2, b, 'u2'],
      [3, a, 'u3'],
      [4, b, 'u4'],
      [4, b, 'u4'],
    ]
    expect(await rowsAfter(rows, coming, append(['u1', 'u2', 'u7']))).toEqual(kept)
    expect(await rowsAfter([[3, a, 'u3']], coming, append([]))).toEqual(kept)
    // Half done before: the caller names what may be there.
    expect(await rowsAfter([...(kept as Row[])], coming, append(['u1', 'u2', 'u4']))).toEqual(kept)
  })

  test('are all replaced at once, with and without a key', async () => {
    const rows: Row[] = [
      [1, a, 'u1'],
      [2, a, 'u1'],
      [3, a, 'u1'],
    ]
    const coming: Row[] = [
      [1, a, 'u1'],
      [2, b, 'u2'],
      [4, c, 'u2'],
    ]
    const replace = (key: string[]) => following({ key, change: { kind: 'replace', query: PLAIN_QUERY } })
    expect(await rowsAfter(rows, coming, replace(['id']))).toEqual(coming)
    expect(await rowsAfter(rows, [], replace(['id']))).toEqual([])
    expect(await rowsAfter([], coming, replace(['id']))).toEqual(coming)
    expect(await rowsAfter([[1, null, 'u1']], [[1, a, 'u1']], replace(['id']))).toEqual([[1, a, 'u1']])
    expect(await rowsAfter([...rows, ...rows], [...coming, ...coming], replace([]))).toHaveLength(6)
    expect(await rowsAfter(rows, [], replace([]))).toEqual([])
    expect(await rowsAfter(rows, coming, job())).toHaveLength(6)
  })

  test('without a key let every statement of an entity table fail that they would come with', async () => {
    const keyless: [null, string, string] = [null, a, 'u1']
    for (const made of [job(), following(), merging([])])
      await expect(rowsAfter([], [[1, a, 'u1'], keyless], made)).rejects.toThrow('a row without a key came with u1')
    expect(await rowsAfter([], [keyless], job({ key: [] }))).toHaveLength(1)
  })
})

// OPTIMIZE is none of the words that the library knows.
test('the SQL library reads every statement above', () => {
  const all = [...seen, newestVersion(job(), SHOWN_NAMES), vacuumTable(SHOWN_NAMES, 'orders')]
  expect(all.length).toBeGreaterThan(20)
  const unread = all.flatMap((sql) => {
    const { success, error, ast } = parse(sql, Dialect.Athena)
    return success && Array.isArray(ast) && ast.length === 1 ? [] : [`${error}: ${sql}`]
  })
  expect(unread).toEqual([])
})
