// What every adapter of curated tables must do. `open` gives a fresh, empty lake; the suite closes it. A job's state is moved
// here as the pipeline does it, so that readers see what was published.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { QueryError } from '../../lib/lake/errors.ts'
import type { Lake, StagedTable, TableChange, TableColumn, TableJob, TableVersion } from '../../lib/lake/ports.ts'
import { runId } from '../../lib/lake/runs.ts'
import { readTableState, type TableState, writeTableState } from '../../lib/lake/table-state.ts'

const COLUMNS: TableColumn[] = [
  { name: 'id', type: 'BIGINT' },
  { name: 'amount', type: 'DECIMAL(18,2)', comment: 'What was paid.' },
  { name: 'day', type: 'DATE' },
  { name: '_upload', type: 'VARCHAR' },
]

/** Upload ids sort by time. */
export const upload = (n: number): string => `2026010${n}T000000000Z-000000000000`

/** A row of the table as a SELECT in Athena's SQL. */
const row = (id: number | null, amount: string | null, n: number, more = ''): string =>
  `SELECT CAST(${id ?? 'NULL'} AS bigint) AS id, CAST(${amount ?? 'NULL'} AS decimal(18,2)) AS amount, ` +
  `DATE '2026-01-0${n}' AS day, '${upload(n)}' AS _upload${more}`
const rows = (...all: string[]): string => all.join(' UNION ALL ')
const comes = (id: number, amount: string, n: number): string => row(id, amount, n, ', false AS _gone')
const goes = (id: number, n: number): string => row(id, null, n, ', true AS _gone')
/** A query of the table's columns without a row. */
const nothing = (more = ''): string => `SELECT * FROM (${row(1, '1', 1, more)}) WHERE false`

/** What adapters may do differently. */
export interface TablesAdapter {
  /** Duplicate and missing keys are found by the adapter itself, not by tests. */
  checksKeys: boolean
  /** Versions are read by name and time. */
  history: boolean
}

let made = 0

/** One curated table, moved from version to version as the pipeline does it. */
export function tableOn(lake: Lake, name: string, more: Partial<TableJob> = {}) {
  const { ops } = lake.zones
  const journal = new Map<string, string>()
  const options = {
    journal: {
      get: (step: string) => journal.get(step),
      set: async (step: string, value: string) => void journal.set(step, value),
    },
  }

  async function job(change: TableChange, over: Partial<TableJob> = {}): Promise<TableJob> {
    const state = (await readTableState(ops, name))?.state
    const version = state?.version ?? undefined
    return {
      run: runId(name, new Date(), String(++made)),
      kind: 'entity',
      table: { name: `curated.${name}`, description: 'As tests have it.', columns: COLUMNS, partitionKeys: [] },
      partitionBy: [],
      key: ['id'],
      change,
      base: version && { id: version.id, run: version.run, committedAt: version.committedAt, rows: version.rows },
      baseColumns: version && state?.columns,
      ...more,
      ...over,
    }
  }

  const stage = async (change: TableChange, over: Partial<TableJob> = {}): Promise<StagedTable> =>
    await lake.tables.stage(await job(change, over), options)

  async function publish(staged: StagedTable): Promise<TableVersion> {
    // Two versions never have one moment.
    await new Promise((resolve) => setTimeout(resolve, 3))
    const { version } = await lake.tables.publish(staged, options)
    const stored = await readTableState(ops, name)
    const { job } = staged
    const next: Omit<TableState, 'sequence' | 'updatedAt' | 'format'> = {
      table: name,
      kind: job.kind,
      ...(job.table.description === undefined ? {} : { description: job.table.description }),
      columns: job.table.columns,
      key: job.key,
      partitionBy: [],
      definition: 'd',
      major: null,
      query: job.change.kind === 'view' ? job.change.query : null,
      version: { ...version, change: null },
      history: stored?.state.version ? [stored.state.version, ...stored.state.history] : [],
      inputs: {},
      uploads: {},
      pending: null,
      suspects: [],
      failed: null,
      lastRun: null,
    }
    await writeTableState(ops, stored, next, new Date())
    await new Promise((resolve) => setTimeout(resolve, 3))
    return version
  }

  /** Forgets all but the newest versions; gives those that are kept. */
  async function keep(count: number): Promise<TableVersion[]> {
    const stored = await readTableState(ops, name)
    if (!stored?.state.version) return []
    const { format: _, sequence: __, updatedAt: ___, ...state } = stored.state
    const history = state.history.slice(0, count - 1)
    await writeTableState(ops, stored, { ...state, history }, new Date())
    return [stored.state.version, ...history]
  }

  const read = async (of = `curated.${name}`, asOf?: Date | { run: string }) =>
    (
      await lake.queries.query(`SELECT id, amount, _upload FROM ${of} ORDER BY id, _upload`, asOf ? { asOf } : {})
    ).rows.map(([id, amount, from]) => `${id} ${amount} ${String(from).slice(7, 8)}`)

  return {
    job,
    stage,
    publish,
    keep,
    read,
    options,
    /** Stages and publishes; gives the version. */
    async make(change: TableChange, over: Partial<TableJob> = {}): Promise<TableVersion> {
      return await publish(await stage(change, over))
    },
  }
}

export function curatedTablesConformance(
  name: string,
  open: () => Promise<Lake>,
  adapter: TablesAdapter = { checksKeys: true, history: true },
): void {
  describe(`curated tables: ${name}`, () => {
    let lake: Lake
    const table = (of: string, more?: Partial<TableJob>) => tableOn(lake, of, more)
    beforeAll(async () => {
      lake = await open()
    })
    afterAll(() => lake.close())

    test('replace: the rows of the query are the table, each time', async () => {
      const t = table('replaced')
      const staged = await t.stage({ kind: 'replace', query: rows(row(1, '1.50', 1), row(2, '2', 1)) })
      expect(staged.rows).toMatchObject({ written: 2, total: 2 })
      const version = await t.publish(staged)
      expect(version).toMatchObject({ run: staged.job.run, rows: 2 })
      expect(Date.parse(version.committedAt)).toBeGreaterThan(0)
      expect(await t.read()).toEqual(['1 1.50 1', '2 2.00 1'])
      await t.make({ kind: 'replace', query: row(3, '3', 2) })
      expect(await t.read()).toEqual(['3 3.00 2'])
      await t.make({ kind: 'replace', query: nothing() })
      expect(await t.read()).toEqual([])
    })

    test('merge: rows come, change and leave in one step', async () => {
      const t = table('merged')
      await t.make({ kind: 'replace', query: rows(row(1, '1', 1), row(2, '2', 1), row(3, '3', 1)) })
      const query = rows(comes(2, '2.5', 2), comes(4, '4', 2), goes(3, 2), goes(9, 2))
      const staged = await t.stage({ kind: 'merge', query })
      expect(staged.rows).toEqual({ written: 2, removed: 1, total: 3 })
      await t.publish(staged)
      expect(await t.read()).toEqual(['1 1.00 1', '2 2.50 2', '4 4.00 2'])
      // And upon deleted rows again.
      const again = await t.stage({ kind: 'merge', query: rows(goes(2, 3), comes(3, '3.3', 3), comes(4, '4.4', 3)) })
      expect(again.rows).toEqual({ written: 2, removed: 1, total: 3 })
      await t.publish(again)
      expect(await t.read()).toEqual(['1 1.00 1', '3 3.30 3', '4 4.40 3'])
    })

    test('merge into a table that is not there yet makes it', async () => {
      const t = table('merged_first')
      const staged = await t.stage({ kind: 'merge', query: rows(comes(1, '1', 1), goes(2, 1)) })
      expect(staged.rows).toEqual({ written: 1, removed: 0, total: 1 })
      await t.publish(staged)
      expect(await t.read()).toEqual(['1 1.00 1'])
    })

    test('merge without newest: an older upload takes the place of a newer one', async () => {
      const t = table('any_order')
      await t.make({ kind: 'replace', query: row(1, '1', 5) })
      await t.make({ kind: 'merge', query: comes(1, '2', 3) })
      expect(await t.read()).toEqual(['1 2.00 3'])
    })

    test('merge with newest: rows of newer uploads stay, unless their upload left', async () => {
      const t = table('newest')
      await t.make({
        kind: 'replace',
        query: rows(row(1, '1', 5), row(2, '2', 5), row(3, '3', 6), row(4, '4', 4), row(5, '5', 6)),
      })
      const query = rows(
        comes(1, '10', 4),
        goes(2, 4),
        comes(3, '30', 4),
        comes(4, '40', 4),
        goes(5, 4),
        comes(6, '60', 4),
      )
      const staged = await t.stage({ kind: 'merge', query, newest: { left: [upload(6)] } })
      expect(staged.rows).toEqual({ written: 3, removed: 1, total: 5 })
      await t.publish(staged)
      expect(await t.read()).toEqual(['1 1.00 5', '2 2.00 5', '3 30.00 4', '4 40.00 4', '6 60.00 4'])
    })

    test('append: rows of uploads leave and rows come, in one step', async () => {
      const t = table('appended', { key: [] })
      await t.make({ kind: 'append', query: rows(row(1, '1', 1), row(1, '1', 1)), left: [] })
      await t.make({ kind: 'append', query: rows(row(2, '2', 2), row(3, '3', 2)), left: [] })
      const staged = await t.stage({ kind: 'append', query: row(1, '1', 3), left: [upload(1)] })
      expect(staged.rows).toEqual({ written: 1, removed: 2, total: 3 })
      await t.publish(staged)
      expect(await t.read()).toEqual(['1 1.00 3', '2 2.00 2', '3 3.00 2'])
      const gone = await t.stage({ kind: 'append', query: nothing(), left: [upload(2), upload(9)] })
      expect(gone.rows).toEqual({ written: 0, removed: 2, total: 1 })
      await t.publish(gone)
      expect(await t.read()).toEqual(['1 1.00 3'])
    })

    test('a run is done once, however often it is asked for', async () => {
      const t = table('once', { key: [] })
      await t.make({ kind: 'append', query: row(1, '1', 1), left: [] })
      const job = await t.job({ kind: 'append', query: row(2, '2', 2), left: [] })
      const [first, second] = [await lake.tables.stage(job, t.options), await lake.tables.stage(job, t.options)]
      expect(second.rows).toEqual(first.rows)
      await t.publish(second)
      expect(await t.read()).toEqual(['1 1.00 1', '2 2.00 2'])
    })

    test('the table reads itself as it was before', async () => {
      const t = table('itself')
      await t.make({ kind: 'replace', query: rows(row(1, '1', 1), row(2, '2', 1)) })
      const query = `SELECT id, CAST(amount * 2 AS decimal(18,2)) AS amount, day, '${upload(2)}' AS _upload, id = 1 AS _gone FROM curated.itself`
      await t.make({ kind: 'merge', query })
      expect(await t.read()).toEqual(['2 4.00 2'])
    })

    test('the schema evolves: new columns are NULL in older rows, wider types keep the values', async () => {
      const t = table('evolved')
      const narrow: TableColumn[] = [
        { name: 'id', type: 'INTEGER' },
        { name: 'amount', type: 'DECIMAL(9,2)' },
        { name: '_upload', type: 'VARCHAR' },
      ]
      const wide: TableColumn[] = [
        { name: 'id', type: 'BIGINT' },
        { name: 'amount', type: 'DECIMAL(18,2)' },
        { name: '_upload', type: 'VARCHAR' },
        { name: 'note', type: 'VARCHAR' },
      ]
      const shaped = (columns: TableColumn[]) => ({ table: { name: 'curated.evolved', columns, partitionKeys: [] } })
      const narrowRow = (id: number) =>
        `SELECT ${id} AS id, CAST(1 AS decimal(9,2)) AS amount, '${upload(1)}' AS _upload`
      const wideRow = (id: string) =>
        `SELECT CAST(${id} AS bigint) AS id, CAST(9999999999.5 AS decimal(18,2)) AS amount, '${upload(2)}' AS _upload, 'new' AS note, false AS _gone`
      const before = await t.make({ kind: 'replace', query: rows(narrowRow(1), narrowRow(2)) }, shaped(narrow))
      const query = rows(wideRow('2'), wideRow('3000000000'))
      await t.make({ kind: 'merge', query, newest: { left: [] } }, shaped(wide))
      const result = await lake.queries.query('SELECT * FROM curated.evolved ORDER BY id')
      expect(result.columns).toEqual([
        { name: 'id', type: 'BIGINT' },
        { name: 'amount', type: 'DECIMAL(18,2)' },
        { name: '_upload', type: 'VARCHAR' },
        { name: 'note', type: 'VARCHAR' },
      ])
      expect(result.rows).toEqual([
        ['1', '1.00', upload(1), null],
        ['2', '9999999999.50', upload(2), 'new'],
        ['3000000000', '9999999999.50', upload(2), 'new'],
      ])
      if (!adapter.history) return
      const old = await lake.queries.query(`SELECT * FROM curated.evolved FOR VERSION AS OF '${before.id}' ORDER BY id`)
      expect(old.rows.map(([id]) => Number(id))).toEqual([1, 2])
    })

    test('views are run when they are read', async () => {
      const t = table('viewed_base')
      const v = table('viewed', { kind: 'view', key: [] })
      await t.make({ kind: 'replace', query: rows(row(1, '1', 1), row(2, '2', 1)) })
      const query = 'SELECT id, amount, day, _upload FROM curated.viewed_base WHERE id > 1'
      const staged = await v.stage({ kind: 'view', query })
      expect(await v.read(staged.preview)).toEqual(['2 2.00 1'])
      await v.publish(staged)
      expect(await v.read()).toEqual(['2 2.00 1'])
      const before = new Date()
      await new Promise((resolve) => setTimeout(resolve, 3))
      await t.make({ kind: 'merge', query: comes(3, '3', 2) })
      expect(await v.read()).toEqual(['2 2.00 1', '3 3.00 2'])
      if (adapter.history) expect(await v.read('curated.viewed', before)).toEqual(['2 2.00 1'])
    })

    test('what is staged can be tested, and readers see none of it until it is published', async () => {
      const t = table('staged')
      const first = await t.stage({ kind: 'replace', query: row(1, '1', 1) })
      expect(await t.read(first.preview)).toEqual(['1 1.00 1'])
      await expect(t.read()).rejects.toThrow(QueryError)
      await t.publish(first)
      const second = await t.stage({ kind: 'merge', query: rows(comes(2, '2', 2), goes(1, 2)) })
      expect(await t.read(second.preview)).toEqual(['2 2.00 2'])
      const counted = await lake.queries.query(`SELECT count(*) FROM ${second.preview} AS p WHERE p.id = 2`)
      expect(counted.rows).toEqual([['1']])
      expect(await t.read()).toEqual(['1 1.00 1'])
      await t.publish(second)
      expect(await t.read()).toEqual(['2 2.00 2'])
    })

    test('what is discarded is gone, and the table stays as it was', async () => {
      const t = table('discarded')
      await t.make({ kind: 'replace', query: row(1, '1', 1) })
      const staged = await t.stage({ kind: 'merge', query: comes(2, '2', 2) })
      await lake.tables.discard(staged)
      expect(await t.read()).toEqual(['1 1.00 1'])
      await expect(t.read(staged.preview)).rejects.toThrow()
      await t.make({ kind: 'merge', query: comes(3, '3', 3) })
      expect(await t.read()).toEqual(['1 1.00 1', '3 3.00 3'])
    })

    test('versions that are kept stay readable after maintenance', async () => {
      const t = table('maintained')
      const versions: TableVersion[] = []
      versions.push(await t.make({ kind: 'replace', query: rows(row(1, '1', 1), row(2, '2', 1)) }))
      for (const n of [2, 3, 4]) versions.push(await t.make({ kind: 'merge', query: comes(1, String(n), n) }))
      const kept = await t.keep(2)
      expect((await lake.tables.maintain('maintained', kept)).did).toBeInstanceOf(Array)
      expect(await t.read()).toEqual(['1 4.00 4', '2 2.00 1'])
      await t.make({ kind: 'merge', query: comes(2, '5', 5) })
      expect(await t.read()).toEqual(['1 4.00 4', '2 5.00 5'])
      if (!adapter.history) return
      const [first, , third] = versions
      expect(await t.read(`curated.maintained FOR VERSION AS OF '${third?.id}'`)).toEqual(['1 3.00 3', '2 2.00 1'])
      await expect(t.read(`curated.maintained FOR VERSION AS OF '${first?.id}'`)).rejects.toThrow(QueryError)
    })

    test('a table that was dropped is gone, and can be made anew', async () => {
      const t = table('dropped')
      await t.make({ kind: 'replace', query: row(1, '1', 1) })
      await lake.zones.ops.delete('tables/dropped.json')
      await lake.tables.drop('dropped')
      await expect(t.read()).rejects.toThrow(/no table curated\.dropped|dropped/)
      await lake.tables.drop('dropped')
      await t.make({ kind: 'replace', query: row(2, '2', 2) })
      expect(await t.read()).toEqual(['2 2.00 2'])
    })

    test('a query that cannot run says why, and leaves nothing behind', async () => {
      const t = table('wrong')
      await t.make({ kind: 'replace', query: row(1, '1', 1) })
      const wrong = (query: string) => expect(t.stage({ kind: 'replace', query })).rejects
      await wrong('SELECT 1 AS nope').toThrow(QueryError)
      await wrong('SELECT id, amount, day, _upload FROM curated.not_there').toThrow(/not_there/)
      expect(await t.read()).toEqual(['1 1.00 1'])
    })

    test('a run that is stopped publishes nothing', async () => {
      const t = table('stopped', { key: [] })
      await t.make({ kind: 'replace', query: row(1, '1', 1) })
      const job = await t.job({ kind: 'replace', query: row(2, '2', 2) })
      const reason = new Error('enough')
      await expect(lake.tables.stage(job, { ...t.options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      expect(await t.read()).toEqual(['1 1.00 1'])
    })

    if (adapter.checksKeys) {
      test('several rows for one key, and rows without one, are refused with examples', async () => {
        const t = table('keyed')
        const twice = rows(row(7, '1', 1), row(7, '2', 1), row(8, '1', 1))
        await expect(t.stage({ kind: 'replace', query: twice })).rejects.toThrow(
          'The query of curated.keyed gives several rows for one key (id), such as 7 (2 times).',
        )
        await expect(t.stage({ kind: 'replace', query: row(null, '1', 1) })).rejects.toThrow(
          'The query of curated.keyed gives 1 row without a key: id is NULL.',
        )
        const merged = rows(comes(5, '1', 1), goes(5, 1))
        await expect(t.stage({ kind: 'merge', query: merged })).rejects.toThrow('(id), such as 5 (2 times)')
        await expect(t.stage({ kind: 'merge', query: row(null, '1', 1, ', false AS _gone') })).rejects.toThrow(
          'without a key',
        )
        await expect(t.read()).rejects.toThrow('no table curated.keyed')
      })
    }

    if (adapter.history) {
      test('earlier versions are read by name, by time and by run', async () => {
        const t = table('history')
        const other = table('history_other')
        const start = new Date()
        const v1 = await t.make({ kind: 'replace', query: row(1, '1', 1) })
        await other.make({ kind: 'replace', query: row(1, '100', 1) })
        const between = new Date()
        const v2 = await t.make({ kind: 'merge', query: comes(2, '2', 2) })
        await other.make({ kind: 'replace', query: row(1, '200', 2) })

        expect(await t.read(`curated.history FOR VERSION AS OF '${v1.id}'`)).toEqual(['1 1.00 1'])
        expect(await t.read(`curated.history FOR VERSION AS OF ${v1.id} AS h`)).toEqual(['1 1.00 1'])
        const text = between.toISOString().replace('T', ' ').replace('Z', ' UTC')
        expect(await t.read(`curated.history FOR TIMESTAMP AS OF TIMESTAMP '${text}' h`)).toEqual(['1 1.00 1'])
        for (const moment of [
          `CAST('${text}' AS timestamp with time zone)`,
          `(TIMESTAMP '${text}' + INTERVAL '1' DAY - INTERVAL '24' HOUR)`,
          `date_add('day', -1, TIMESTAMP '${text}' + INTERVAL '1' DAY) AT TIME ZONE 'Europe/Berlin'`,
        ])
          expect(await t.read(`curated.history FOR TIMESTAMP AS OF ${moment} AS h`)).toEqual(['1 1.00 1'])
        expect(await t.read('curated.history', between)).toEqual(['1 1.00 1'])
        expect(await other.read('curated.history_other', between)).toEqual(['1 100.00 1'])
        expect(await t.read('curated.history', { run: v2.run })).toEqual(['1 1.00 1', '2 2.00 2'])
        expect(await other.read('curated.history_other', { run: v2.run })).toEqual(['1 100.00 1'])
        const joined = await lake.queries.query(
          `SELECT count(*) FROM curated.history a LEFT JOIN curated.history FOR VERSION AS OF '${v1.id}' b ON a.id = b.id WHERE b.id IS NULL`,
        )
        expect(joined.rows).toEqual([['1']])

        const kept = `The versions that are kept: ${v2.id} (${v2.committedAt}), ${v1.id} (${v1.committedAt}).`
        await expect(t.read('curated.history', start)).rejects.toThrow(
          `curated.history has no version of ${start.toISOString()} or before: the first that is kept is of ${v1.committedAt}. ${kept}`,
        )
        await expect(
          t.read(`curated.history FOR TIMESTAMP AS OF (current_timestamp - INTERVAL '1' YEAR)`),
        ).rejects.toThrow(`or before: the first that is kept is of ${v1.committedAt}. ${kept}`)
        await expect(t.read(`curated.history FOR VERSION AS OF 'x'`)).rejects.toThrow(
          `curated.history has no version x. ${kept}`,
        )
        await expect(t.read('curated.history', { run: 'x' })).rejects.toThrow('keeps a version of the run x')
      })

      test('only curated tables have a history', async () => {
        await expect(lake.queries.query(`SELECT * FROM ops.receipts FOR VERSION AS OF 'x'`)).rejects.toThrow(
          'ops has no history',
        )
        await expect(lake.queries.query('SELECT * FROM clean.orders', { asOf: new Date() })).rejects.toThrow(
          'clean has no history: clean.orders',
        )
      })
    }

    test('tables are listed and described, with what their columns mean', async () => {
      const t = table('described')
      await t.make({ kind: 'replace', query: row(1, '1', 1) })
      expect((await lake.queries.query('SHOW TABLES IN curated')).rows).toContainEqual(['described'])
      expect((await lake.queries.query('DESCRIBE curated.described')).rows).toContainEqual([
        'amount',
        'decimal(18,2)',
        'What was paid.',
      ])
      const { rows: found } = await lake.queries.query(
        `SELECT column_name FROM information_schema.columns WHERE table_schema = 'curated' AND table_name = 'described' ORDER BY ordinal_position`,
      )
      expect(found.flat()).toEqual(['id', 'amount', 'day', '_upload'])
    })
  })
}
