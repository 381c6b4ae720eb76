// Earlier states of curated tables, for Athena. What a table was at a moment is in its state (lib/lake/table-state.ts): a snapshot
// of Iceberg, or a stored table; a view is its query over what its tables were. So a statement about the past becomes one that
// names these, and Athena need not know what a run is.

import type { AsOf } from '../../sql/ast.ts'
import { parseStatement } from '../../sql/parse.ts'
import { name as quoted } from '../../sql/quote.ts'
import { replaceTables, type TableRef, tableNameOf } from '../../sql/refs.ts'
import { QueryError } from '../errors.ts'
import type { ObjectStore, QueryOptions } from '../ports.ts'
import { type KeptVersion, listTableStates, type TableState } from '../table-state.ts'
import { type Databases, versionsDatabase } from './names.ts'
import { readStoredName } from './tables-sql.ts'

const isSnapshot = (id: string): boolean => /^\d+$/.test(id)

/** True when a statement may ask for an earlier state by itself. */
export const namesThePast = (sql: string): boolean => /\bFOR\s+(TIMESTAMP|VERSION)\s+AS\s+OF\b/i.test(sql)

interface Lookup {
  databases: Databases
  states: ReadonlyMap<string, TableState>
  /** When curated tables are looked at; undefined: now. */
  moment: Date | undefined
  /** A run asked for is exactly this version of its table. */
  pinned: { state: TableState; version: KeptVersion } | undefined
  /** Views that are being taken apart. */
  within: readonly string[]
}

/**
 * The statement with every curated table that it reads as it was. With `asOf` all of them; without it only those that have FOR … AS OF
 * behind them. Throws QueryError for what was never there, or is not kept.
 */
export async function statementOfThePast(
  sql: string,
  { databases, ops }: { databases: Databases; ops: ObjectStore },
  asOf: QueryOptions['asOf'],
): Promise<string> {
  const states = new Map<string, TableState>()
  for await (const { state } of listTableStates(ops)) states.set(state.table.toLowerCase(), state)
  return inThePast(sql, { databases, states, within: [], ...momentOf(asOf, states) })
}

function inThePast(sql: string, lookup: Lookup): string {
  const clauses = clausesOf(sql)
  if (!clauses) return sql
  return replaceTables(sql, (ref) => relationOf(ref, clauses.get(ref.at), lookup))
}

function relationOf({ name }: TableRef, clause: AsOf | undefined, lookup: Lookup): string | undefined {
  const { states, moment, databases } = lookup
  const [written = '', table = ''] = name.split('.')
  const zone = Object.entries(databases).find(([, database]) => database === written)?.[0] ?? written
  const at = clause?.of === 'time' ? clause.time : clause ? undefined : moment
  if (zone !== 'curated') {
    if (clause) throw new QueryError(`${zone} has no history: FOR … AS OF is for curated tables.`)
    if (zone === 'clean' && at)
      throw new QueryError(
        `clean has no history: ${name} cannot be read as of ${at.toISOString()}. Ask for curated tables only.`,
      )
    return undefined
  }
  const state = states.get(table)
  // Athena says that there is no such table, and which there are.
  if (!state?.version) return undefined
  if (clause?.of === 'version') {
    const { version: id } = clause
    const found = versionsOf(state).find((one) => one.id === id || one.run === id)
    if (found) return versionOf(state, found, new Date(found.committedAt), lookup)
    // A snapshot that our runs did not make, or no longer name, may still be there.
    if (isSnapshot(id) && isSnapshot(state.version.id)) return undefined
    throw new QueryError(`curated.${state.table} has no version ${id}. ${versionsInWords(state)}`)
  }
  if (!at) return undefined
  if (!clause && lookup.pinned?.state === state) return versionOf(state, lookup.pinned.version, at, lookup)
  const versions = versionsOf(state)
  const found = versions.find(({ committedAt }) => Date.parse(committedAt) <= at.getTime())
  if (found) return versionOf(state, found, at, lookup)
  // Iceberg may know of more than our runs do.
  if (isSnapshot(state.version.id)) return `curated.${quoted(state.table)} FOR TIMESTAMP AS OF ${timestamp(at)}`
  throw new QueryError(
    `curated.${state.table} has no version of ${at.toISOString()} or before: the first that is kept is of ${versions.at(-1)?.committedAt}. ${versionsInWords(state)}`,
  )
}

/** One version as a relation. */
function versionOf(state: TableState, version: KeptVersion, at: Date, lookup: Lookup): string {
  const table = `curated.${state.table}`
  if (isSnapshot(version.id)) {
    if (state.version && isSnapshot(state.version.id))
      return `curated.${quoted(state.table)} FOR VERSION AS OF '${version.id}'`
    throw new QueryError(
      `${table} was another table before ${state.version?.committedAt}, which is gone with its history. ${versionsInWords(state)}`,
    )
  }
  if (readStoredName(version.id)) return `${quoted(versionsDatabase(lookup.databases))}.${quoted(version.id)}`
  if (state.query === null || version.id !== state.version?.id)
    throw new QueryError(
      `${table} is a view that was another one at ${at.toISOString()}, and Athena keeps the newest only, of ${state.version?.committedAt}. Ask the tables that it reads.`,
    )
  if (lookup.within.includes(state.table))
    throw new QueryError(`${table} is a view that reads itself: ${lookup.within.join(', ')}.`)
  try {
    return `(\n${inThePast(state.query, { ...lookup, moment: at, within: [...lookup.within, state.table] })}\n)`
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    throw new QueryError(`The view ${table}: ${error.message}`, { cause: error })
  }
}

/** Every FOR … AS OF by the place of its table; undefined for what is no query. */
function clausesOf(sql: string): Map<number, AsOf> | undefined {
  const found = new Map<number, AsOf>()
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const one of node) visit(one)
    else if (typeof node === 'object' && node !== null && !(node instanceof Date)) {
      if ('kind' in node && node.kind === 'table' && 'names' in node) {
        const { at, asOf, names } = node as object as { at: number; asOf?: AsOf; names: string[] }
        if (asOf && tableNameOf(names)) found.set(at, asOf)
      }
      for (const one of Object.values(node)) visit(one)
    }
  }
  const statement = parseStatement(sql)
  if (statement.kind !== 'query' && statement.kind !== 'explain') return undefined
  visit(statement.query)
  return found
}

/** `TIMESTAMP '2026-01-02 03:04:05.678 UTC'` */
const timestamp = (at: Date): string => `TIMESTAMP '${at.toISOString().replace('T', ' ').replace('Z', ' UTC')}'`

const versionsOf = ({ version, history }: TableState): KeptVersion[] => [...(version ? [version] : []), ...history]

function versionsInWords(state: TableState): string {
  const versions = versionsOf(state).map(({ run, committedAt }) => `${run} (${committedAt})`)
  return `The versions that are kept: ${versions.join(', ')}.`
}

/** The moment that is asked for. That of a run is when its version was published; of its own table it is that version. */
function momentOf(
  asOf: QueryOptions['asOf'],
  states: ReadonlyMap<string, TableState>,
): Pick<Lookup, 'moment' | 'pinned'> {
  if (asOf === undefined) return { moment: undefined, pinned: undefined }
  if (asOf instanceof Date) return { moment: asOf, pinned: undefined }
  const all = [...states.values()].flatMap((state) => versionsOf(state).map((version) => ({ state, version })))
  const pinned = all.find(({ version }) => version.run === asOf.run)
  if (pinned) return { moment: new Date(pinned.version.committedAt), pinned }
  const known = all.map(({ version: { run, committedAt } }) => `${run} (${committedAt})`).sort()
  throw new QueryError(
    known.length === 0
      ? `There is no run ${asOf.run}: no curated table has a version yet.`
      : `No curated table keeps a version of the run ${asOf.run}. The runs whose versions are kept: ${known.join(', ')}.`,
  )
}
