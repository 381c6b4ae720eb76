// Random changes of curated tables against plain maps, with files put together all the time.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLocalLake, openLocalLake } from '../../lib/lake/local/lake.ts'
import { openParquetTables } from '../../lib/lake/local/tables.ts'
import { filesBelow } from '../../lib/lake/local/tables-view.ts'
import type { Lake } from '../../lib/lake/ports.ts'
import { tableOn, upload } from '../conformance/tables.ts'

const RUNS = 4

let root: string
let lake: Lake
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-tables-'))
  await createLocalLake(root)
  const opened = await openLocalLake(root, { durable: false })
  const { zones, catalog, locate, scratch } = opened
  const source = {
    zones,
    catalog,
    pathOf: locate,
    filesBelow: (zone: 'clean' | 'ops', prefix: string, deep: boolean) => filesBelow(locate(zone, prefix), deep),
  }
  const tables = openParquetTables({
    source,
    memoryBytes: 512 * 1024 ** 2,
    threads: 2,
    scratch: () => scratch,
    compact: { files: 3, deletes: 2, deleted: 0.5, sorted: 6 },
  })
  lake = { ...opened, scratch, tables }
})
afterAll(async () => {
  await lake.close()
  await rm(root, { recursive: true, force: true })
})

interface Row {
  id: number
  amount: number
  from: number
}

const select = (row: Row, more = ''): string =>
  `SELECT CAST(${row.id} AS bigint) AS id, CAST(${row.amount} AS decimal(18,2)) AS amount, DATE '2026-01-01' AS day, '${upload(row.from)}' AS _upload${more}`
const nothing = (more = '') => `SELECT * FROM (${select({ id: 0, amount: 0, from: 1 }, more)}) WHERE false`
const shown = (rows: Iterable<Row>): string[] =>
  [...rows]
    .sort((a, b) => a.id - b.id || a.from - b.from || a.amount - b.amount)
    .map(({ id, amount, from }) => `${id} ${amount}.00 ${from}`)

const id = fc.nat(11)
const from = fc.integer({ min: 1, max: 9 })
const coming = fc.record({ id, amount: fc.nat(99), from, gone: fc.boolean() })
const left = fc.uniqueArray(from, { maxLength: 3 })
const change = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('merge' as const),
      rows: fc.uniqueArray(coming, { selector: (row) => row.id, maxLength: 5 }),
      newest: fc.option(left),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('replace' as const),
      rows: fc.uniqueArray(coming, { selector: (row) => row.id, maxLength: 9 }),
    }),
  },
)
const appended = fc.record({ rows: fc.array(coming, { maxLength: 4 }), left })

let made = 0

test('whatever is merged, the table is what a map would be, and so is every version before', async () => {
  const property = fc.asyncProperty(fc.array(change, { minLength: 6, maxLength: 11 }), async (changes) => {
    const name = `merged_${++made}`
    const table = tableOn(lake, name, { partitionBy: [{ transform: 'bucket', column: 'id', n: 3 }] })
    let model = new Map<number, Row>()
    const versions: { id: string; rows: string[] }[] = []
    for (const one of changes) {
      const before = model
      model = one.kind === 'replace' ? new Map() : new Map(before)
      const lost = new Set(one.kind === 'merge' ? (one.newest ?? []) : [])
      let [written, removed] = [0, 0]
      for (const { gone, ...row } of one.rows) {
        const old = model.get(row.id)
        if (one.kind === 'merge' && one.newest && old && old.from > row.from && !lost.has(old.from)) continue
        if (gone && one.kind === 'merge') removed += model.delete(row.id) ? 1 : 0
        else {
          written++
          model.set(row.id, row)
        }
      }
      const flagged = one.kind === 'merge'
      const query = [
        nothing(flagged ? ', false AS _gone' : ''),
        ...one.rows.map((row) => select(row, flagged ? `, ${row.gone} AS _gone` : '')),
      ].join(' UNION ALL ')
      const staged = await table.stage(
        one.kind === 'replace'
          ? { kind: 'replace', query }
          : { kind: 'merge', query, ...(one.newest ? { newest: { left: one.newest.map(upload) } } : {}) },
      )
      if (flagged) expect(staged.rows).toEqual({ written, removed, total: model.size })
      else expect(staged.rows).toMatchObject({ written, total: model.size })
      const version = await table.publish(staged)
      expect(await table.read()).toEqual(shown(model.values()))
      versions.push({ id: version.id, rows: shown(model.values()) })
    }
    const kept = await table.keep(4)
    await lake.tables.maintain(name, kept)
    for (const { id, rows } of versions.slice(-4))
      expect(await table.read(`curated.${name} FOR VERSION AS OF '${id}'`)).toEqual(rows)
  })
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true })
})

test('whatever is appended, the table is the rows of the uploads that stayed', async () => {
  const property = fc.asyncProperty(fc.array(appended, { minLength: 6, maxLength: 9 }), async (changes) => {
    const table = tableOn(lake, `appended_${++made}`, { key: [] })
    let model: Row[] = []
    for (const one of changes) {
      const stayed = model.filter((row) => !one.left.includes(row.from))
      const removed = model.length - stayed.length
      model = [...stayed, ...one.rows]
      const query = [nothing(), ...one.rows.map((row) => select(row))].join(' UNION ALL ')
      const staged = await table.stage({ kind: 'append', query, left: one.left.map(upload) })
      expect(staged.rows).toEqual({ written: one.rows.length, removed, total: model.length })
      await table.publish(staged)
      expect((await table.read()).sort()).toEqual(shown(model).sort())
    }
  })
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true })
})
