// A zone as an S3 bucket: the object store port. What S3 calls 412, 404 and 409 becomes the port's words here.
//
// Landing is versioned, and a version is S3's version id. In the other buckets only the newest bytes are there, and a
// version is their ETag: a read names it with If-Match, so that it gives those bytes or none.

import { createReadStream, createWriteStream, type ReadStream } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { ObjectGone, PreconditionFailed, StorageError } from '../errors.ts'
import type { Fetched, ObjectInfo, ObjectStore, PutCondition, PutOptions } from '../ports.ts'
import { checkKey, compareKeys } from '../valid-key.ts'
import { download, type Pin } from './download.ts'
import { attemptsOf, codeOf, guarded, missingBucket, statusOf } from './errors.ts'

export interface BucketStoreSettings {
  bucket: string
  client: S3Client
  /** The bucket keeps versions. */
  versioned: boolean
  /** A local folder for fetched objects. */
  scratch: string
  /** Called for objects that no key of ours can name; they are passed over. */
  onIgnored?: (uri: string, reason: string) => void
}

const MIB = 1024 ** 2
/** S3 takes 10,000 parts. A stream says nothing of its length: this is enough for 160 GB. */
const PART_BYTES = 16 * MIB
const MOST_PARTS = 10_000
const PARTS_AT_ONCE = 4
/** S3 answers 409 while another write to the key is under way: look again, so often at most. */
const CONFLICTS = 6
const CONFLICT_MILLISECONDS = 50
/** User metadata that tells our own write from another's after an answer was lost. */
const WRITE_ID = 'weir-write'

/** Gives the whole body anew for each try. */
interface Body {
  open: () => Buffer | Readable
  size?: number
}

interface Written {
  ETag?: string
  VersionId?: string
}

/** The object store of one bucket. */
export function openBucketStore(settings: BucketStoreSettings): ObjectStore {
  const { bucket, client, versioned, scratch } = settings
  const uri = (key: string) => `s3://${bucket}/${key}`
  const reading = <T>(key: string, action: () => Promise<T>) => guarded(`read ${uri(key)}`, action)
  const writing = <T>(key: string, action: () => Promise<T>) => guarded(`write ${uri(key)}`, action)

  /** A HEAD has no body, so "no such bucket" looks like "no such key" until the bucket was seen once. */
  let seen: Promise<void> | undefined
  const bucketIsThere = (doing: string): Promise<void> => {
    seen ??= client.send(new HeadBucketCommand({ Bucket: bucket })).then(
      () => undefined,
      (error: unknown) => {
        seen = undefined
        // Whoever may not look at the bucket as a whole got a true answer about the key all the same.
        if (statusOf(error) === 403) return
        throw statusOf(error) === 404 ? missingBucket(doing, error) : error
      },
    )
    return seen
  }

  async function head(key: string): Promise<ObjectInfo | undefined> {
    const at = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key })).catch(absent)
    if (at) return infoOf(key, at, at.ContentLength)
    await bucketIsThere(`read ${uri(key)}`)
    return undefined
  }

  async function headOfVersion(key: string, version: string): Promise<ObjectInfo | undefined> {
    try {
      const at = await client.send(new HeadObjectCommand({ ...pinOf(version), Key: key }))
      const info = infoOf(key, { ...at, VersionId: at.VersionId ?? version }, at.ContentLength)
      return info.version === version ? info : undefined
    } catch (error) {
      // A HEAD has no body that says what is wrong: if the key itself can be looked at, it is the version.
      if (!isGone(error) && statusOf(error) !== 400) throw error
      await head(key)
      return undefined
    }
  }

  function infoOf(key: string, at: Written & { LastModified?: Date }, size: number | undefined): ObjectInfo {
    const etag = unquoted(at.ETag)
    return { key, size: size ?? 0, etag, version: versionIn(at), modified: wholeSeconds(at.LastModified ?? new Date()) }
  }

  const versionIn = (at: Written): string => (versioned && at.VersionId ? at.VersionId : unquoted(at.ETag))

  const pinOf = (version: string): Pin =>
    versioned ? { Bucket: bucket, VersionId: version } : { Bucket: bucket, IfMatch: quoted(version) }

  async function send(key: string, body: Body, condition: PutCondition, options: PutOptions): Promise<ObjectInfo> {
    const writeId = crypto.randomUUID()
    for (let conflicts = 0; ; conflicts++) {
      options.signal?.throwIfAborted()
      try {
        const { written, size } = await upload(key, body, condition, options, writeId)
        return await settled(key, written, size)
      } catch (error) {
        const conflict = codeOf(error) === 'ConditionalRequestConflict' || statusOf(error) === 409
        const refused = statusOf(error) === 412 || (condition.ifMatch !== undefined && statusOf(error) === 404)
        // The first answer may have been lost, and the SDK's next try refused because of our own write.
        if ((refused || codeOf(error) === 'NoSuchUpload') && attemptsOf(error) > 1) {
          const ours = await ownWrite(key, writeId)
          if (ours) return ours
        }
        if (['NoSuchBucket', 'NoSuchUpload'].includes(codeOf(error)) || !(conflict || refused)) throw error
        if (refused) throw new PreconditionFailed(key)
        await stillHolds(key, condition)
        if (conflicts >= CONFLICTS) {
          throw new StorageError(
            `Could not write ${uri(key)}: others kept writing to it at the same time (${codeOf(error)}). Nothing was changed; run it again.`,
            { cause: error },
          )
        }
        await sleep(CONFLICT_MILLISECONDS * 2 ** conflicts * (0.5 + Math.random()))
      }
    }
  }

  async function upload(
    key: string,
    body: Body,
    condition: PutCondition,
    { onProgress, signal }: PutOptions,
    writeId: string,
  ): Promise<{ written: Written; size: number }> {
    const opened = body.open()
    const abort = new AbortController()
    const stop = () => abort.abort()
    signal?.addEventListener('abort', stop, { once: true })
    let size = 0
    // Counted on the way: a file that grows or shrinks while it is read must not become an object.
    async function* counted(stream: Readable): AsyncGenerator<Buffer> {
      for await (const chunk of stream) {
        const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk)
        size += bytes.length
        yield bytes
      }
      if (body.size !== undefined && size !== body.size) {
        throw new StorageError(
          `Could not write ${uri(key)}: the file changed while it was read (${body.size} bytes, then ${size}). Nothing was stored; try again when it is complete.`,
        )
      }
    }
    if (Buffer.isBuffer(opened)) size = opened.length
    const running = new Upload({
      client,
      abortController: abort,
      queueSize: PARTS_AT_ONCE,
      partSize: Math.max(PART_BYTES, Math.ceil((body.size ?? 0) / (MOST_PARTS - 1))),
      params: {
        Bucket: bucket,
        Key: key,
        Body: Buffer.isBuffer(opened) ? opened : Readable.from(counted(opened)),
        ...(condition.ifMatch === undefined ? {} : { IfMatch: quoted(condition.ifMatch) }),
        ...(condition.ifNoneMatch === undefined ? {} : { IfNoneMatch: condition.ifNoneMatch }),
        Metadata: { [WRITE_ID]: writeId },
        ...contentTypeOf(key),
      },
    })
    if (onProgress) running.on('httpUploadProgress', ({ loaded }) => onProgress(loaded ?? 0))
    try {
      return { written: await running.done(), size }
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    } finally {
      signal?.removeEventListener('abort', stop)
      if (!Buffer.isBuffer(opened)) opened.destroy()
    }
  }

  /**
   * What was written. A version in landing carries S3's own time, for the upload's id derives from it; elsewhere ours
   * is near enough, and saves a request for each write.
   */
  async function settled(key: string, written: Written, size: number): Promise<ObjectInfo> {
    if (!versioned || !written.VersionId) return infoOf(key, written, size)
    const VersionId = written.VersionId
    // An uploader may write here and read nothing: then our clock has to do, and whoever waits for the receipt knows.
    const at = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key, VersionId })).catch((error) => {
      if (statusOf(error) === 403) return undefined
      throw error
    })
    if (!at) return infoOf(key, written, size)
    return infoOf(key, { ...at, VersionId }, at.ContentLength)
  }

  async function ownWrite(key: string, writeId: string): Promise<ObjectInfo | undefined> {
    const at = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key })).catch(absent)
    return at?.Metadata?.[WRITE_ID] === writeId ? infoOf(key, at, at.ContentLength) : undefined
  }

  async function stillHolds(key: string, { ifMatch, ifNoneMatch }: PutCondition): Promise<void> {
    if (ifMatch === undefined && ifNoneMatch === undefined) return
    const now = await head(key)
    if (ifNoneMatch && now) throw new PreconditionFailed(key)
    if (ifMatch !== undefined && now?.etag !== ifMatch) throw new PreconditionFailed(key)
  }

  async function putFile(key: string, path: string, condition: PutCondition, options: PutOptions): Promise<ObjectInfo> {
    const { size } = await stat(path)
    return send(key, { open: () => createReadStream(path), size }, condition, options)
  }

  async function putStream(
    key: string,
    stream: Readable,
    condition: PutCondition,
    options: PutOptions,
  ): Promise<ObjectInfo> {
    const path = pathOfWhole(stream)
    if (path !== undefined) {
      stream.destroy()
      return putFile(key, path, condition, options)
    }
    if (Object.keys(condition).length === 0) return send(key, { open: () => stream }, condition, options)
    // A condition may have to be tried again, and a stream can be read once only.
    await mkdir(scratch, { recursive: true })
    const copy = join(scratch, `put-${crypto.randomUUID()}`)
    try {
      await pipeline(stream, createWriteStream(copy, { flags: 'wx' }))
      return await putFile(key, copy, condition, options)
    } finally {
      await rm(copy, { force: true })
    }
  }

  async function fetch(key: string, version: string): Promise<Fetched> {
    await mkdir(scratch, { recursive: true })
    const path = join(scratch, `fetch-${crypto.randomUUID()}`)
    const release = () => rm(path, { force: true })
    try {
      const at = await download(client, { ...pinOf(version), Key: key }, path)
      const info = infoOf(key, at, at.size)
      if (info.version !== version) throw new ObjectGone(key, version)
      // The copy is ours and of that version: nobody can change it under the reader.
      return { path, info, verify: async () => {}, release }
    } catch (error) {
      await release()
      if (isGone(error)) throw new ObjectGone(key, version)
      throw error
    }
  }

  async function get(key: string): Promise<{ info: ObjectInfo; body: Buffer } | undefined> {
    const found = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key })).catch(absent)
    if (!found) return undefined
    const body = Buffer.from((await found.Body?.transformToByteArray()) ?? [])
    return { info: infoOf(key, found, body.length), body }
  }

  /** Every page of the newest objects, in key order, with plain keys. */
  async function* newest(prefix: string, after: string | undefined): AsyncGenerator<Listed[]> {
    const start = after !== undefined && compareKeys(after, prefix) > 0 ? after : undefined
    const common = { Bucket: bucket, Prefix: prefix, EncodingType: 'url' as const }
    if (!versioned) {
      let token: string | undefined
      do {
        const page = await client.send(
          new ListObjectsV2Command({ ...common, ...(token ? { ContinuationToken: token } : { StartAfter: start }) }),
        )
        yield plainKeys(page.Contents ?? [], page.EncodingType)
        token = page.IsTruncated ? page.NextContinuationToken : undefined
      } while (token !== undefined)
      return
    }
    let from: { KeyMarker?: string; VersionIdMarker?: string } | undefined = { KeyMarker: start }
    while (from) {
      const page: ListedVersions = await client.send(new ListObjectVersionsCommand({ ...common, ...from }))
      const latest = (page.Versions ?? []).filter((one) => one.IsLatest)
      yield plainKeys(latest, page.EncodingType)
      from = page.IsTruncated
        ? { KeyMarker: plain(page.NextKeyMarker, page.EncodingType), VersionIdMarker: page.NextVersionIdMarker }
        : undefined
    }
  }

  function nameable(key: string): boolean {
    try {
      checkKey(key)
      return true
    } catch (error) {
      // Consoles make an empty object for a folder; nobody misses it.
      if (!key.endsWith('/')) settings.onIgnored?.(uri(key), (error as Error).message)
      return false
    }
  }

  return {
    async head(key, version) {
      checkKey(key)
      return reading(key, () => (version === undefined ? head(key) : headOfVersion(key, version)))
    },
    async get(key) {
      checkKey(key)
      return reading(key, () => get(key))
    },
    async fetch(key, version) {
      checkKey(key)
      return reading(key, () => fetch(key, version))
    },
    async put(key, body, condition = {}, options = {}) {
      checkKey(key)
      return writing(key, () => {
        if (typeof body !== 'string' && !Buffer.isBuffer(body)) return putStream(key, body, condition, options)
        const bytes = typeof body === 'string' ? Buffer.from(body) : body
        return send(key, { open: () => bytes, size: bytes.length }, condition, options)
      })
    },
    async putFile(key, path, condition = {}, options = {}) {
      checkKey(key)
      return writing(key, () => putFile(key, path, condition, options))
    },
    async *list(prefix, options = {}) {
      const { after } = options
      const pages = newest(prefix, after)
      for (;;) {
        const page = await guarded(`list s3://${bucket}/${prefix}`, () => pages.next())
        if (page.done) return
        for (const one of page.value) {
          const key = one.Key ?? ''
          if (after !== undefined && compareKeys(key, after) <= 0) continue
          if (nameable(key)) yield infoOf(key, one, one.Size)
        }
      }
    },
    async delete(key) {
      checkKey(key)
      await guarded(`delete ${uri(key)}`, () => client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key })))
    },
  }
}

interface Listed extends Written {
  Key?: string
  Size?: number
  LastModified?: Date
}

interface ListedVersions {
  Versions?: (Listed & { IsLatest?: boolean })[]
  EncodingType?: string
  IsTruncated?: boolean
  NextKeyMarker?: string
  NextVersionIdMarker?: string
}

/** The file behind a stream that nobody has begun to read: a file can be sent again, and its length is known. */
function pathOfWhole(stream: Readable): string | undefined {
  const { path, start, end } = stream as Partial<ReadStream> & { start?: number; end?: number }
  if (typeof path !== 'string' || stream.readableDidRead || stream.destroyed) return undefined
  return (start ?? 0) === 0 && (end === undefined || end === Number.POSITIVE_INFINITY) ? path : undefined
}

/** Undefined for an object that is not there, or that was deleted. */
function absent(error: unknown): undefined {
  if (statusOf(error) === 404 && codeOf(error) !== 'NoSuchBucket') return undefined
  throw error
}

/** 405: the version is a delete marker. 400: S3 never gave such a version id. */
function isGone(error: unknown): boolean {
  const status = statusOf(error)
  if (status === 404) return codeOf(error) !== 'NoSuchBucket'
  return status === 412 || status === 405 || (status === 400 && /version/i.test((error as Error).message))
}

/** Keys come URL-encoded in listings that say so, because XML cannot hold every character. */
export function plain(key: string | undefined, encoding: string | undefined): string | undefined {
  return key === undefined || encoding !== 'url' ? key : decodeURIComponent(key.replaceAll('+', ' '))
}

function plainKeys(listed: Listed[], encoding: string | undefined): Listed[] {
  return listed.map((one) => ({ ...one, Key: plain(one.Key, encoding) }))
}

const unquoted = (etag: string | undefined): string => (etag ?? '').replace(/^"|"$/g, '')
const quoted = (etag: string): string => `"${etag}"`

/** S3 says whole seconds in some answers and more in others: one version has one time. */
function wholeSeconds(time: Date): Date {
  return new Date(Math.floor(time.getTime() / 1000) * 1000)
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  json: 'application/json',
  csv: 'text/csv',
  parquet: 'application/vnd.apache.parquet',
}

/** So that "Open" in the S3 console shows the page of a receipt; without a type it would be saved to the disk. */
function contentTypeOf(key: string): { ContentType?: string } {
  const type = CONTENT_TYPES[/\.([a-z]+)$/.exec(key)?.[1] ?? '']
  return type === undefined ? {} : { ContentType: type }
}
