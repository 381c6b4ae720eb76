// The SQL of entity tables, in Athena's SQL over clean and curated tables. An upload id sorts by when its source changed, so
// the newest row of a key is the one whose `_upload` is greatest.

import type { TableChange, TableDefinition } from '../../lake/ports.ts'
import { among, name } from '../../sql/quote.ts'

/**
 * Uploads in one list of a statement. Athena takes 256 KB of it, an id with its quotes and comma is 36, and a merge may have two
 * such lists: what comes and leaves, and all others.
 */
export const NAMED_UPLOADS = 2500
/** Places of a merge that name the uploads that leave. */
export const LEFT_PLACES = 4
/** Sources by which a statement also says where to look, so that no other partition is opened. */
const NAMED_SOURCES = 200

export interface EntityChange {
  dataset: string
  table: TableDefinition
  /** Primary key; none: rows only add up. */
  key: string[]
  /** Columns of the table as it is now. */
  baseColumns: readonly { name: string }[]
  /** Uploads whose rows come, and the partitions that they are in. */
  came: string[]
  sources: string[]
  /** Uploads whose rows may be in the table, and are not to be any more. */
  left: string[]
  /** Every upload that counts now. */
  all: string[]
}

const columnsOf = (table: TableDefinition, of = ''): string =>
  table.columns.map((column) => `${of}${name(column.name)}`).join(', ')

/** The table made anew from all that counts now. */
export function fullChange({
  dataset,
  table,
  key,
  all,
}: Omit<EntityChange, 'came' | 'left' | 'sources' | 'baseColumns'>): TableChange {
  // Too many to be named: what clean shows then is looked at afterwards (see run.ts).
  const where = all.length > NAMED_UPLOADS ? '' : ` WHERE ${among('_upload', all)}`
  const from = `FROM clean.${name(dataset)}`
  // Within one upload a key comes once.
  if (key.length === 0 || all.length === 1)
    return { kind: 'replace', query: `SELECT ${columnsOf(table)} ${from}${where}` }
  // Not by a window: for that all rows would have to be held, here only their keys.
  const keys = key.map(name).join(', ')
  const on = [...key, '_upload'].map((column) => `c.${name(column)} = n.${name(column)}`).join(' AND ')
  return {
    kind: 'replace',
    query:
      `SELECT ${columnsOf(table, 'c.')} ${from} c ` +
      `JOIN (SELECT ${keys}, max(_upload) AS _upload ${from}${where} GROUP BY ${keys}) n ON ${on}`,
  }
}

/** Asks how many rows have no key: of rows that were taken in when it was none. */
export function keylessQuery(dataset: string, key: readonly string[]): string {
  const missing = key.map((column) => `${name(column)} IS NULL`).join(' OR ')
  return `SELECT count(*) AS n FROM clean.${name(dataset)} WHERE ${missing}`
}

/** Asks how many keys of one upload no row has to itself, or are not all there: of rows that were taken in under another key. */
export function withoutKeyQuery(dataset: string, key: readonly string[]): string {
  const keys = key.map(name)
  const missing = keys.map((column) => `${column} IS NULL`).join(' OR ')
  const groups = `SELECT count(*) AS n FROM clean.${name(dataset)} GROUP BY _upload, ${keys.join(', ')} HAVING count(*) > 1 OR ${missing}`
  return `SELECT count(*) AS n FROM (${groups}) AS k`
}

/** Only what came and what left. */
export function changeOf(change: EntityChange): TableChange {
  const { dataset, table, key, came, left } = change
  const columns = columnsOf(table)
  const coming = `FROM clean.${name(dataset)} WHERE ${among('_upload', came)}${inSources(change)}`
  if (key.length === 0) return { kind: 'append', query: `SELECT ${columns} ${coming}`, left }
  const candidates = [`SELECT ${columns}, false AS _gone ${coming}`]
  if (left.length > 0) candidates.push(fallBack(change), tombstones(change))
  return {
    kind: 'merge',
    query:
      `SELECT ${columns}, _gone FROM (SELECT ${columns}, _gone, ${newestFirst(key)} AS _place FROM (` +
      `${candidates.join(' UNION ALL ')})) WHERE _place = 1`,
    newest: { left },
  }
}

const newestFirst = (key: string[]): string =>
  `row_number() OVER (PARTITION BY ${key.map(name).join(', ')} ORDER BY _upload DESC)`

function inSources({ sources }: EntityChange): string {
  return sources.length > NAMED_SOURCES ? '' : ` AND ${among('source', sources)}`
}

/** The rows of other uploads for keys whose row left with its upload. */
function fallBack({ dataset, table, key, came, left, all }: EntityChange): string {
  const arrived = new Set(came)
  const others = all.filter((upload) => !arrived.has(upload))
  const where = others.length > NAMED_UPLOADS ? `NOT (${among('c._upload', came)})` : among('c._upload', others)
  const on = key.map((column) => `c.${name(column)} = l.${name(column)}`).join(' AND ')
  return (
    `SELECT ${columnsOf(table, 'c.')}, false AS _gone FROM clean.${name(dataset)} c ` +
    `JOIN curated.${name(dataset)} l ON ${on} WHERE ${among('l._upload', left)} AND ${where}`
  )
}

/** One for each key whose row left: it wins only where nobody else has the key, as the empty text sorts before all uploads. */
function tombstones({ dataset, table, left, baseColumns }: EntityChange): string {
  const known = new Set(baseColumns.map((column) => column.name.toLowerCase()))
  const columns = table.columns.map(({ name: column }) => {
    if (column === '_upload') return `'' AS _upload`
    return known.has(column.toLowerCase()) ? `l.${name(column)}` : `NULL AS ${name(column)}`
  })
  return `SELECT ${columns.join(', ')}, true AS _gone FROM curated.${name(dataset)} l WHERE ${among('l._upload', left)}`
}
