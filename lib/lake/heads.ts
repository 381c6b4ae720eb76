// Heads: what each source contributes to the lake, and the decision that made it so. Heads are the truth; receipts,
// catalog and tables follow them. A head only ever moves by compare-and-set, and its sequence number never repeats.

import { z } from 'zod'
import { headKey, partitionSlug } from './keys.ts'
import type { ObjectStore } from './ports.ts'
import { receiptSchema } from './receipt.ts'
import { readJson } from './stored-json.ts'

export const HEAD_FORMAT = 'weir.head/1'

const contributionSchema = z.object({
  upload: z.string(),
  version: z.string(),
  /** Prefix in the clean zone. */
  location: z.string(),
  /** Names below the location; none when no row was accepted. */
  files: z.array(z.string()),
  rows: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  /** The bytes as dropped, by which a duplicate is known. */
  size: z.int().nonnegative(),
  sha256: z.string(),
  contract: z.string().describe('Hash of the plan that decided about the rows.'),
})

export const headSchema = z.object({
  format: z.literal(HEAD_FORMAT),
  source: z.string(),
  dataset: z.string(),
  /** The day the source first came: it stays, so that all versions share one partition. */
  ingestDate: z.iso.date(),
  sequence: z.int().positive(),
  /**
   * How the newest decided version ended. `none`: nothing decided yet. `duplicate`: its bytes are in the dataset through
   * another source. `refused`: the contributions are those of an earlier version.
   */
  state: z.enum(['none', 'published', 'refused', 'duplicate', 'retracted']),
  /** Newest landing version that was decided, and its upload. */
  version: z.string().nullable(),
  upload: z.string().nullable(),
  /** The bytes of that version where they were read. */
  content: z.object({ size: z.int(), sha256: z.string() }).nullable(),
  contributions: z.array(contributionSchema),
  /** Most partitions that this source ever had: all beyond its contributions must be gone from the catalog. */
  width: z.int().nonnegative(),
  /**
   * The receipt of the decision that made this head. It is written out right after the head, and at the latest before
   * the next decision replaces it: so a crash in between loses no receipt and changes none.
   */
  decision: receiptSchema.nullable(),
  updatedAt: z.iso.datetime(),
})

export type Head = z.infer<typeof headSchema>
export type Contribution = z.infer<typeof contributionSchema>

export interface StoredHead {
  head: Head
  etag: string
}

/** A head that cannot be read, or that belongs to another source: nothing may be decided on it. */
export class HeadDamaged extends Error {
  override name = 'HeadDamaged'
}

/** A head before anything was decided. */
export function newHead(dataset: string, source: string, ingestDate: string): Head {
  return {
    format: HEAD_FORMAT,
    source,
    dataset,
    ingestDate,
    sequence: 0,
    state: 'none',
    version: null,
    upload: null,
    content: null,
    contributions: [],
    width: 0,
    decision: null,
    updatedAt: new Date(0).toISOString(),
  }
}

export async function readHead(ops: ObjectStore, dataset: string, source: string): Promise<StoredHead | undefined> {
  const stored = await readHeadAt(ops, headKey(dataset, source))
  if (stored && stored.head.source !== source)
    throw new HeadDamaged(
      `The head ${headKey(dataset, source)} belongs to ${stored.head.source}, not to ${source}. Rename one of the two files.`,
    )
  return stored
}

/** The head at a key of the ops zone, as listed. */
export async function readHeadAt(ops: ObjectStore, key: string): Promise<StoredHead | undefined> {
  const object = await ops.get(key)
  if (!object) return undefined
  const read = readJson(headSchema, object.body.toString())
  if ('problem' in read)
    throw new HeadDamaged(
      `The head ${key} cannot be read: ${read.problem}\nRestore it from a backup, or delete it and run "weir reconcile" to read its file again.`,
    )
  return { head: read.value, etag: object.info.etag }
}

/** Moves a head from what was read to its successor. Throws PreconditionFailed when somebody else moved it first. */
export async function writeHead(
  ops: ObjectStore,
  base: StoredHead | undefined,
  next: Omit<Head, 'sequence' | 'updatedAt'>,
  at: Date,
): Promise<StoredHead> {
  const head: Head = { ...next, sequence: (base?.head.sequence ?? 0) + 1, updatedAt: at.toISOString() }
  const condition = base ? { ifMatch: base.etag } : { ifNoneMatch: '*' as const }
  const info = await ops.put(headKey(head.dataset, head.source), `${JSON.stringify(head)}\n`, condition)
  return { head, etag: info.etag }
}

/** The contribution that holds these bytes, if any. */
export function contributionOf(head: Head | undefined, sha256: string): Contribution | undefined {
  return head?.contributions.find((one) => one.sha256 === sha256)
}

/**
 * Partition values of the n-th contribution. A partition points at one location and swaps atomically, so every
 * contribution has its own: `<slug>`, and with `redrop: append` also `<slug>.2`, `<slug>.3` … Contributions are only
 * ever added at the end or all replaced, so a number keeps its meaning while any reader could see it.
 */
export function partitionValues(head: Head, index: number): string[] {
  return [head.ingestDate, partitionSlug(head.source, index)]
}

/** The slug in a partition's source value. */
export function slugOfPartition(value: string): string {
  return value.replace(/(?<=[0-9a-f]{12})\.\d+$/, '')
}
