// Every key that Weir writes, made in one place: nothing else may put a key together.
// Names derive from the landing key and the upload alone, so that doing the same work twice gives the same names.

import { createHash } from 'node:crypto'
import type { ObjectInfo } from './ports.ts'

/** Characters of the landing key that a slug keeps, so that a person recognises the source. */
const TAIL = 40

/** First folder of a landing key; undefined when the file lies directly in landing/. */
export function datasetOfKey(landingKey: string): string | undefined {
  const slash = landingKey.indexOf('/')
  return slash > 0 ? landingKey.slice(0, slash) : undefined
}

/** The part of a landing key below landing/<dataset>/. */
export function pathInDataset(landingKey: string): string {
  return landingKey.slice(landingKey.indexOf('/') + 1)
}

/**
 * A source's name in paths and partitions: the tail of its key in safe characters, and 12 hex of the key's hash that
 * tell apart what looks alike. Lower case, because some folders and all Glue partitions ignore case.
 */
export function sourceSlug(landingKey: string): string {
  const tail = pathInDataset(landingKey)
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '_')
    .slice(-TAIL)
    .replace(/^[._]+/, '')
  return `${tail}${tail && '-'}${hex(landingKey, 12)}`
}

/** The source value of the partition of a source's n-th contribution (see heads.ts). A slug ends in hex, so it stays clear. */
export function partitionSlug(landingKey: string, index: number): string {
  const slug = sourceSlug(landingKey)
  return index === 0 ? slug : `${slug}.${index + 1}`
}

/** `<UTC of the version's modified time, to the millisecond>-<12 hex of key and version>`: sorts by time and names one version of one source. */
export function uploadId(landingKey: string, version: Pick<ObjectInfo, 'version' | 'modified'>): string {
  return idAt(version.modified, `${landingKey}\0${version.version}`)
}

/** The id of taking a source out: one for each sequence number of its head, so that it happens once. */
export function retractionId(landingKey: string, sequence: number, at: Date): string {
  return idAt(at, `${landingKey}\0retracted\0${sequence}`)
}

/**
 * The id of checking a version again that was decided before. It sorts beside the drop, or beside the upload that its bytes are in
 * the lake by (`own`): files that came again unchanged, and looking at them again, change nothing in the order of sources. The
 * sequence number of the head that it was decided upon makes it one of its own, however often a version is checked again.
 */
export function replayId(
  landingKey: string,
  version: Pick<ObjectInfo, 'version' | 'modified'>,
  sequence: number,
  own?: string,
): string {
  const stamp = own?.slice(0, own.indexOf('-')) ?? stampOf(version.modified)
  return `${stamp}-${hex(`${landingKey}\0${version.version}\0replayed\0${sequence}`, 12)}`
}

/** The UTC day in an upload id. Throws for what is no upload id. */
export function dateOfUpload(upload: string): string {
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)T\d{6}(?:\d{3})?Z-[0-9a-f]{12}$/.exec(upload) ?? []
  if (!year)
    throw new RangeError(`${JSON.stringify(upload)} is not an upload id such as 20260102T030405678Z-0123456789ab.`)
  return `${year}-${month}-${day}`
}

export function isUploadId(text: string): boolean {
  return /^\d{8}T\d{6}(\d{3})?Z-[0-9a-f]{12}$/.test(text)
}

export const headsPrefix = (dataset?: string): string => (dataset === undefined ? 'heads/' : `heads/${dataset}/`)
export const headKey = (dataset: string, landingKey: string): string => slugHeadKey(dataset, sourceSlug(landingKey))
export const slugHeadKey = (dataset: string, slug: string): string => `heads/${dataset}/${slug}.json`

export const receiptsPrefix = (dataset?: string, date?: string): string =>
  `receipts/${dataset === undefined ? '' : `dataset=${dataset}/`}${date === undefined ? '' : `date=${date}/`}`
export const receiptKey = (dataset: string, upload: string): string =>
  `${receiptsPrefix(dataset, dateOfUpload(upload))}${upload}.json`

/** The page of a receipt. Not beside it: what lies below `receipts/` is a table of JSON, to Athena. */
export const pageKeyOf = (dataset: string, upload: string): string =>
  `pages/dataset=${dataset}/date=${dateOfUpload(upload)}/${upload}.html`

export const rejectsPrefix = (dataset: string): string => `rejects/dataset=${dataset}/`
export const repairFilesPrefix = (dataset: string): string => `repair-files/dataset=${dataset}/`

/**
 * Where the rejects of an upload go: Parquet to query and, apart from it, so that a table is all Parquet, CSV to repair.
 * `variant` only when other ones (of an older contract) lie there already.
 */
export function rejectsKeys(dataset: string, upload: string, variant?: string): { parquet: string; csv: string } {
  const folder = `upload=${upload}/${variant === undefined ? '' : `${variant}/`}`
  return {
    parquet: `${rejectsPrefix(dataset)}${folder}rejects.parquet`,
    csv: `${repairFilesPrefix(dataset)}${folder}repair.csv`,
  }
}

export const repairsPrefix = (repaired: string): string => `repairs/${repaired}/`
export const repairKey = (repaired: string, by: string): string => `${repairsPrefix(repaired)}${by}.json`

/** The state of each curated table: see table-state.ts. */
export const tableStatesPrefix = 'tables/'
export const tableStateKey = (table: string): string => `${tableStatesPrefix}${table}.json`

/** The runs of curated tables: see runs.ts. */
export const runsPrefix = (table?: string): string => (table === undefined ? 'runs/' : `runs/table=${table}/`)
export const runKey = (table: string, run: string): string =>
  `${runsPrefix(table)}date=${dateOfUpload(run)}/${run}.json`

/** A curated table of the embedded lake, in the curated zone: see local/tables-manifest.ts. */
export const curatedPrefix = (table: string): string => `${table}/`
export const versionsPrefix = (table: string): string => `${table}/versions/`
export const versionKey = (table: string, version: string): string => `${versionsPrefix(table)}${version}.json`
/** Rows, and places of rows that left. `salt`: a run that begins again leaves alone what it wrote before. */
export const tableFilesPrefix = (table: string, what: 'data' | 'deletes', run?: string): string =>
  `${table}/${what}/${run === undefined ? '' : `${run}-`}`
export const tableFileKey = (table: string, what: 'data' | 'deletes', run: string, salt: string): string =>
  `${tableFilesPrefix(table, what, run)}${salt}.parquet`

export const faultsPrefix = 'faults/'
/** Why a message (AWS) or a source (a local lake) could not be ingested. */
export const faultKey = (id: string): string => `${faultsPrefix}${id.replaceAll(/[^\w.-]/g, '_')}.json`
export const faultIdOf = (landingKey: string): string => sourceSlug(landingKey)

/** How far the scheduled reconcile got, where a lake is too big for one run. */
export const RECONCILE_CURSOR = 'reconcile/cursor.json'

/** Which tables of a shared catalog are known to hold all that the heads say (see aws/catalog.ts). */
export const catalogMarkerKey = (): string => 'catalog/complete.json'

export interface Content {
  size: number
  sha256: string
}

/** All contents of one size: what a large file is compared with before anybody hashes it. */
export const contentsOfSizePrefix = (dataset: string, size: number): string => `content/${dataset}/${size}/`
export const contentKey = (dataset: string, content: Content): string =>
  `${contentsOfSizePrefix(dataset, content.size)}${content.sha256}/owner.json`
export const waitingPrefix = (dataset: string, content: Content): string =>
  `${contentsOfSizePrefix(dataset, content.size)}${content.sha256}/waiting/`
export const waitingKey = (dataset: string, content: Content, landingKey: string): string =>
  `${waitingPrefix(dataset, content)}${sourceSlug(landingKey)}.json`

/**
 * Prefix of an upload's part files. `run` tells apart runs that may have split the rows differently (another contract,
 * several part files): the files of two runs must never lie together below one location.
 */
export function cleanLocation(at: {
  dataset: string
  ingestDate: string
  source: string
  /** Place of the contribution among those of its source: the path spells out the partition's values, as readers like it. */
  index: number
  upload: string
  run: string
}): string {
  return `${at.dataset}/ingest_date=${at.ingestDate}/source=${partitionSlug(at.source, at.index)}/upload=${at.upload}/${at.run}/`
}

export function hex(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length)
}

function idAt(time: Date, what: string): string {
  return `${stampOf(time)}-${hex(what, 12)}`
}

const stampOf = (time: Date): string => time.toISOString().replaceAll(/[-:.]/g, '')
