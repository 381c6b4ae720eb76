// What one version of a curated table consists of, on a lake of plain files. Nothing of it is ever written again:
//
//   <table>/versions/<run>.json      the version: its columns, its files, how many rows
//   <table>/data/<run>-….parquet     rows; a version may use files of many runs
//   <table>/deletes/<run>-….parquet  places of rows that have left: (file, pos), pos as DuckDB's file_row_number
//
// Which version readers see is in the table's state (lib/lake/table-state.ts).

import { z } from 'zod'
import { PreconditionFailed, StorageError } from '../errors.ts'
import { versionKey } from '../keys.ts'
import type { ObjectStore } from '../ports.ts'
import { readJson } from '../stored-json.ts'

export const MANIFEST_FORMAT = 'weir.version/1'

const dataFileSchema = z.object({
  /** What places of deleted rows call it: one number for each file that the table ever had. */
  id: z.int().positive(),
  key: z.string(),
  rows: z.int().positive(),
  bytes: z.int(),
  /** Names of the columns that it has. Others of the table are NULL. */
  columns: z.array(z.string()),
  /** Rows that have left since. */
  deleted: z.int().nonnegative(),
  /** Files with their places. */
  deletes: z.array(z.string()),
})

export const manifestSchema = z.object({
  format: z.literal(MANIFEST_FORMAT),
  /** Below curated: `orders`. */
  table: z.string(),
  run: z.string(),
  /** The version that it was made from. */
  parent: z.string().nullable(),
  kind: z.enum(['entity', 'table', 'incremental', 'view']),
  columns: z.array(z.object({ name: z.string(), type: z.string(), comment: z.string().optional() })),
  /** Of a view, which has no files. */
  query: z.string().nullable(),
  rows: z.object({ written: z.int().nullable(), removed: z.int().nullable(), total: z.int().nullable() }),
  files: z.array(dataFileSchema),
  /** The next file's number. */
  next: z.int().positive(),
})

export type DataFile = z.infer<typeof dataFileSchema>
export type Manifest = z.infer<typeof manifestSchema>

export async function readManifest(
  curated: ObjectStore,
  table: string,
  version: string,
): Promise<Manifest | undefined> {
  const key = versionKey(table, version)
  const object = await curated.get(key)
  if (!object) return undefined
  const read = readJson(manifestSchema, object.body.toString())
  if ('value' in read) return read.value
  throw new StorageError(
    `A version of curated.${table} (curated/${key}) cannot be read: ${read.problem}\nRestore it from a backup, or run "weir curate --table ${table} --full".`,
  )
}

/** Writes a version. Gives the one that is there, should somebody have done the same job meanwhile. */
export async function writeManifest(curated: ObjectStore, manifest: Manifest): Promise<Manifest> {
  try {
    await curated.put(versionKey(manifest.table, manifest.run), `${JSON.stringify(manifest)}\n`, { ifNoneMatch: '*' })
    return manifest
  } catch (error) {
    if (!(error instanceof PreconditionFailed)) throw error
    return (await readManifest(curated, manifest.table, manifest.run)) ?? writeManifest(curated, manifest)
  }
}

/** Every object that a version needs. */
export const objectsOf = ({ files }: Manifest): string[] => files.flatMap(({ key, deletes }) => [key, ...deletes])
