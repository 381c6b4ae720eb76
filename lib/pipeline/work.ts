// The work on one upload: fetch its bytes, hash them, have the engine check them, store what it made. Each step happens
// when it is first asked for, and once; nothing of it can be seen in the lake until a head points at it.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, open, rm, stat } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Plan } from '../contract/plan.ts'
import type { CheckResult } from '../engine/result.ts'
import { PreconditionFailed } from '../lake/errors.ts'
import type { Contribution } from '../lake/heads.ts'
import { type Content, cleanLocation, hex, isUploadId, rejectsKeys } from '../lake/keys.ts'
import { readReceipt, stoodInFor, writeRepair } from '../lake/ledger.ts'
import type { Fetched, ObjectInfo, ObjectStore } from '../lake/ports.ts'
import type { Receipt } from '../lake/receipt.ts'
import { WEIR_VERSION } from '../version.ts'
import type { Context, RunOptions } from './context.ts'
import { repairedUpload } from './repair-file.ts'

/** Bytes at the end of a part file that tell two runs apart: the Parquet footer knows all sizes and statistics. */
const FOOTER_BYTES = 256 * 1024
/** Upload ids named in one warning. */
const NAMED_UPLOADS = 3

export interface Outputs {
  contribution: Contribution
  clean?: Receipt['clean']
}

export interface Work {
  readonly key: string
  readonly info: ObjectInfo
  readonly upload: string
  readonly timings: Record<string, number>
  /** Whether it is a repair file for an upload of this dataset. Throws ObjectGone. */
  isRepair(): Promise<boolean>
  /** Size and hash of exactly that version. Throws ObjectGone. */
  content(): Promise<Content>
  /** What the engine says. Throws ObjectGone. */
  check(): Promise<CheckResult>
  /** For the n-th contribution of the source. Stored once: should its place change meanwhile, the path is merely odd. */
  storeParts(ingestDate: string, index: number): Promise<Outputs>
  storeRejects(): Promise<Receipt['rejects']>
  /** An upload that it repairs rows of, and the one that gives that file's rows now instead: they would count twice. */
  replayedRepair(): Promise<{ repaired: string; by: string } | undefined>
  storeRepairs(): Promise<{ repairs: Receipt['repairs']; warnings: string[] }>
  close(): Promise<void>
}

export function startWork(
  context: Context,
  plan: Plan,
  at: { key: string; info: ObjectInfo; upload: string },
  options: RunOptions,
): Work {
  const { lake } = context
  const { key, info, upload } = at
  const timings: Record<string, number> = {}
  let fetched: Fetched | undefined
  let content: Content | undefined
  let result: CheckResult | undefined
  let folder: string | undefined

  async function timed<T>(phase: string, run: () => Promise<T>): Promise<T> {
    const start = performance.now()
    try {
      return await run()
    } finally {
      timings[phase] = Math.round((timings[phase] ?? 0) + performance.now() - start)
    }
  }

  /** Reads a copy of the version, and makes sure afterwards that it was that version until the end. */
  async function reading<T>(run: (path: string) => Promise<T>): Promise<T> {
    fetched = await timed('fetch', () => lake.zones.landing.fetch(key, info.version))
    try {
      let answer: T | undefined
      let failure: { error: unknown } | undefined
      try {
        answer = await run(fetched.path)
      } catch (error) {
        failure = { error }
      }
      // First: a file that changed under the reader explains whatever failed.
      await timed('verify', fetched.verify)
      if (failure) throw failure.error
      return answer as T
    } finally {
      await fetched.release()
      fetched = undefined
    }
  }

  async function check(): Promise<CheckResult> {
    options.signal?.throwIfAborted()
    if (result) return result
    await mkdir(lake.scratch, { recursive: true })
    folder = await mkdtemp(join(lake.scratch, 'upload-'))
    const outDir = folder
    const { onProgress, signal } = options
    const request = { fileName: posix.basename(key), plan, upload, outDir, onProgress, signal }
    const found = await timed('check', () => reading((path) => context.check({ ...request, path })))
    assertAddsUp(found)
    // Both were of the same version: should a copy of it ever be torn, nothing may be published.
    if (content && (content.sha256 !== found.sha256 || content.size !== found.size))
      throw new Error(
        `two readings of version ${info.version} gave different bytes (${content.size} and ${found.size}). Is the disk sound, and does nobody change files in .weir/versions?`,
      )
    content = { size: found.size, sha256: found.sha256 }
    result = found
    return found
  }

  async function storeParts(ingestDate: string, index: number): Promise<Outputs> {
    const found = await check()
    const run = await nameOfRun(plan, found)
    const location = cleanLocation({ dataset: plan.dataset, ingestDate, source: key, index, upload, run })
    const files = found.clean.map((_, index) => `part-${index}.parquet`)
    for (const [index, part] of found.clean.entries())
      await putOnce(() => lake.zones.clean.putFile(`${location}part-${index}.parquet`, part.path, { ifNoneMatch: '*' }))
    const bytes = found.clean.reduce((sum, part) => sum + part.bytes, 0)
    const { accepted: rows } = found.rows
    const { size, sha256 } = found
    const contribution = {
      upload,
      version: info.version,
      location,
      files,
      rows,
      bytes,
      size,
      sha256,
      contract: plan.hash,
    }
    if (files.length === 0) return { contribution }
    return { contribution, clean: { location, files: files.map((name) => location + name), bytes } }
  }

  /** The CSV first: it is in row order, so it shows whether rejects that are there already are these. */
  async function storeRejects(): Promise<Receipt['rejects']> {
    const { rejects } = await check()
    if (!rejects) return undefined
    const { ops } = lake.zones
    let keys = rejectsKeys(plan.dataset, upload)
    const stored = await putOnce(() => ops.putFile(keys.csv, rejects.csv, { ifNoneMatch: '*' }))
    if (!stored && !(await isStored(ops, keys.csv, rejects.csv))) {
      // Of a run that crashed, under a contract that has changed since: leave them, the receipt names ours.
      keys = rejectsKeys(plan.dataset, upload, hex(`${plan.hash} ${WEIR_VERSION}`, 8))
      await putOnce(() => ops.putFile(keys.csv, rejects.csv, { ifNoneMatch: '*' }))
    }
    await putOnce(() => ops.putFile(keys.parquet, rejects.parquet, { ifNoneMatch: '*' }))
    return keys
  }

  async function storeRepairs(): Promise<{ repairs: Receipt['repairs']; warnings: string[] }> {
    const { repairs } = await check()
    const known: Receipt['repairs'] = []
    const unknown: string[] = []
    for (const { upload: repaired, rows } of repairs) {
      if (await isKnown(repaired)) {
        const distinct = [...new Set(rows)].sort((a, b) => a - b)
        await writeRepair(lake.zones.ops, { dataset: plan.dataset, source: key, upload, repaired, rows: distinct })
        known.push({ upload: repaired, rows: distinct.length })
      } else unknown.push(repaired)
    }
    return { repairs: known, warnings: unknown.length === 0 ? [] : [unknownRepairs(plan, unknown)] }
  }

  async function replayedRepair(): Promise<{ repaired: string; by: string } | undefined> {
    const { repairs } = await check()
    for (const { upload: repaired } of repairs) {
      const by = isUploadId(repaired) && (await stoodInFor(lake.zones.ops, plan.dataset, repaired))
      if (by) return { repaired, by }
    }
    return undefined
  }

  async function isKnown(repaired: string): Promise<boolean> {
    // The id comes out of a file: it may be anything.
    return isUploadId(repaired) && (await readReceipt(lake.zones.ops, plan.dataset, repaired)) !== undefined
  }

  let parts: Outputs | undefined
  return {
    key,
    info,
    upload,
    timings,
    content: async () => {
      content ??= await timed('hash', () => reading(contentOfFile))
      return content
    },
    check,
    isRepair: once(async () => {
      const repaired = await reading(repairedUpload)
      return repaired !== undefined && (await isKnown(repaired))
    }),
    storeParts: async (ingestDate, index) => {
      parts ??= await timed('store', () => storeParts(ingestDate, index))
      return parts
    },
    storeRejects: once(() => timed('store', storeRejects)),
    replayedRepair,
    storeRepairs: once(() => timed('store', storeRepairs)),
    async close() {
      await fetched?.release()
      if (folder) await rm(folder, { recursive: true, force: true })
    },
  }
}

function once<T>(run: () => Promise<T>): () => Promise<T> {
  let made: { value: T } | undefined
  return async () => {
    made ??= { value: await run() }
    return made.value
  }
}

/** False when it was there already: the same upload under the same name is the same. */
async function putOnce(put: () => Promise<unknown>): Promise<boolean> {
  try {
    await put()
    return true
  } catch (error) {
    if (error instanceof PreconditionFailed) return false
    throw error
  }
}

/** Whether an object has the bytes of a file. Read as they come: a file of nearly only rejects is a large one. */
async function isStored(store: ObjectStore, key: string, path: string): Promise<boolean> {
  const there = await store.head(key)
  if (there?.size !== (await stat(path)).size) return false
  const fetched = await store.fetch(key, there.version)
  try {
    const [one, other] = [await contentOfFile(fetched.path), await contentOfFile(path)]
    await fetched.verify()
    return one.sha256 === other.sha256
  } finally {
    await fetched.release()
  }
}

async function contentOfFile(path: string): Promise<Content> {
  const hash = createHash('sha256')
  const file = createReadStream(path, { highWaterMark: 1024 * 1024 })
  await pipeline(file, hash)
  return { size: file.bytesRead, sha256: hash.digest('hex') }
}

/** One part file: any run of this contract gives the same rows. Several: a run may have split them differently. */
async function nameOfRun(plan: Plan, result: CheckResult): Promise<string> {
  const names = [plan.hash, WEIR_VERSION]
  if (result.clean.length > 1)
    for (const part of result.clean) names.push(`${part.rows} ${part.bytes} ${await footerHash(part.path)}`)
  return hex(names.join('\n'), 8)
}

async function footerHash(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const buffer = Buffer.alloc(Math.min(size, FOOTER_BYTES))
    await file.read(buffer, 0, buffer.length, size - buffer.length)
    return createHash('sha256').update(buffer).digest('hex')
  } finally {
    await file.close()
  }
}

/** The promise of every receipt. Were it ever broken, the upload must not be published. */
function assertAddsUp({ outcome, rows, clean }: CheckResult): void {
  const stored = clean.reduce((sum, part) => sum + part.rows, 0)
  const expected = outcome === 'refused' ? 0 : rows.accepted
  if (rows.read !== rows.accepted + rows.rejected || stored !== expected)
    throw new Error(
      `the engine's figures do not add up (${rows.read} read, ${rows.accepted} accepted, ${rows.rejected} rejected, ${stored} stored). Please report this.`,
    )
}

function unknownRepairs(plan: Plan, uploads: string[]): string {
  const named = uploads.filter(isUploadId).slice(0, NAMED_UPLOADS)
  const which = named.length === 0 ? '' : ` (${named.join(', ')}${uploads.length > named.length ? ' …' : ''})`
  return `Column _upload names ${uploads.length === 1 ? '1 upload' : `${uploads.length} uploads`} that ${plan.dataset} does not have${which}: their rows are taken as new ones, not as repairs.`
}
