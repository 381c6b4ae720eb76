// What a table would be made from if it were made now.

import { SchemaChangeRefused } from '../../lake/errors.ts'
import { hex } from '../../lake/keys.ts'
import type { Lake } from '../../lake/ports.ts'
import { readTableState, type TableState } from '../../lake/table-state.ts'

/** Which upload each partition of a clean table points at: "2026-01-02/monday.csv-0123…" → "<upload>/<run>". */
export type Uploads = Record<string, string>

/** The uploads that clean shows now, by partition. */
export async function cleanUploads({ catalog }: Lake, dataset: string): Promise<Uploads> {
  const uploads: Uploads = {}
  for await (const { values, location } of catalog.listPartitions(`clean.${dataset}`)) {
    const [, upload, run] = /upload=([^/]+)\/([^/]+)\/$/.exec(location) ?? []
    if (upload === undefined)
      throw new Error(
        `The partition ${values.join('/')} of clean.${dataset} points at ${location}, which is no place of an upload. Run "weir reconcile".`,
      )
    uploads[values.join('/')] = `${upload}/${run}`
  }
  return uploads
}

/** Sources named in a message. */
const NAMED = 3

/**
 * Refuses to read clean tables whose files have other types than they do: where the catalog tells of that, values would be read as
 * others. Throws SchemaChangeRefused.
 */
export async function checkTypes({ catalog }: Lake, tables: readonly string[]): Promise<void> {
  for (const table of tables) {
    if (!table.startsWith('clean.')) continue
    const sources = new Set<string>()
    const kinds = new Set<string>()
    for await (const { values, column, type, wanted } of catalog.listMistyped(table)) {
      sources.add(values.join('/'))
      kinds.add(`${column} is ${wanted}, and ${type} there`)
    }
    if (sources.size === 0) continue
    const named = [...sources].slice(0, NAMED).map(sourceOf)
    const more = sources.size > NAMED ? ` and ${sources.size - NAMED} more` : ''
    throw new SchemaChangeRefused(
      `${table} has files from an older contract whose types are not today's: ${[...kinds].slice(0, NAMED).join('; ')} (${named.join(', ')}${more}). Their values would be read as others. Nothing was touched.`,
      `Read the files again under today's contract: weir replay --dataset ${table.slice('clean.'.length)}. A file that it refuses is taken out by weir retract.`,
    )
  }
}

export const uploadOf = (place: string): string => place.slice(0, place.indexOf('/'))

/** The `source` in the partition of a clean table. */
export const sourceOf = (partition: string): string => partition.slice(partition.indexOf('/') + 1)

/** Differs when any partition points elsewhere. */
export const digestOf = (uploads: Uploads): string =>
  hex(
    Object.entries(uploads)
      .map(([partition, place]) => `${partition} ${place}`)
      .sort()
      .join('\n'),
    24,
  )

export interface Inputs {
  /** By table: a digest of a clean one, the version id of a curated one. */
  ids: Record<string, string>
  /** States of the curated ones. */
  states: Map<string, TableState>
  /** Curated ones that have no version yet. */
  missing: string[]
}

/** What a table's inputs are now. Of the ops zone nothing is noted: it changes all the time. */
export async function lookAtInputs(lake: Lake, tables: readonly string[]): Promise<Inputs> {
  const found: Inputs = { ids: {}, states: new Map(), missing: [] }
  for (const table of tables) {
    const [zone = '', name = ''] = table.split('.')
    if (zone === 'clean') found.ids[table] = digestOf(await cleanUploads(lake, name))
    else if (zone === 'curated') {
      const state = (await readTableState(lake.zones.ops, name))?.state
      if (state?.version) {
        found.ids[table] = state.version.id
        found.states.set(table, state)
      } else found.missing.push(name)
    } else found.ids[table] = ''
  }
  return found
}
