// Brings one version of an object into a local file: a small one in one piece, a large one in several at a time. Every
// piece names the version, so that pieces of two versions never come together.

import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { GetObjectCommand, type GetObjectCommandOutput, type S3Client } from '@aws-sdk/client-s3'
import { StorageError } from '../errors.ts'
import { statusOf } from './errors.ts'

/** Names a version: by its id, or by its ETag where a bucket keeps none. */
export type Pin = { Bucket: string; VersionId: string } | { Bucket: string; IfMatch: string }

const MIB = 1024 ** 2
const PIECE_BYTES = 16 * MIB
const PIECES_AT_ONCE = 6
/** A connection may break in the middle of a body, where the SDK does not try again. */
const TRIES = 4

type Whole = Pick<GetObjectCommandOutput, 'ETag' | 'VersionId' | 'LastModified'> & { size: number }

/** Writes the version's bytes to `path`. Rejects as the SDK does when the version is not there. */
export async function download(client: S3Client, pin: Pin & { Key: string }, path: string): Promise<Whole> {
  const file = await open(path, 'w')
  try {
    const first = await retried(async () => {
      const answer = await client.send(new GetObjectCommand({ ...pin, ChecksumMode: 'ENABLED' }))
      const body = answer.Body as Readable | undefined
      const size = answer.ContentLength ?? 0
      // Now that the size is known: a large one rather comes in pieces.
      if (size > PIECE_BYTES * 2) body?.destroy()
      else if (body) await writeAt(body, 0, size)
      return { ...answer, size }
    })
    if (first.size > PIECE_BYTES * 2) await pieces(first.size, first.ETag)
    const { size } = await file.stat()
    if (size !== first.size)
      throw new StorageError(`s3://${pin.Bucket}/${pin.Key} came with ${size} of ${first.size} bytes.`)
    return { ETag: first.ETag, VersionId: first.VersionId, LastModified: first.LastModified, size }
  } finally {
    await file.close()
  }

  async function writeAt(body: Readable, start: number, length: number): Promise<void> {
    let at = start
    await pipeline(body, async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        for (let done = 0; done < chunk.length; ) {
          const { bytesWritten } = await file.write(chunk, done, chunk.length - done, at + done)
          done += bytesWritten
        }
        at += chunk.length
      }
    })
    if (at - start !== length) throw new Error(`The connection ended after ${at - start} of ${length} bytes.`)
  }

  async function pieces(size: number, etag: string | undefined): Promise<void> {
    let next = 0
    const piece = (): Promise<void> => {
      const start = next
      const end = Math.min(start + PIECE_BYTES, size)
      next = end
      return retried(async () => {
        const range = { Range: `bytes=${start}-${end - 1}`, IfMatch: etag }
        const { Body: body, ContentRange } = await client.send(new GetObjectCommand({ ...pin, ...range }))
        if (!body) throw new Error('There was no body.')
        if (ContentRange !== undefined) return writeAt(body as Readable, start, end - start)
        // HTTP lets a server answer a range with everything: then everything is here.
        await writeAt(body as Readable, 0, size)
        next = size
      })
    }
    const work = async (): Promise<void> => {
      while (next < size) await piece()
    }
    await piece()
    const workers = await Promise.allSettled(Array.from({ length: PIECES_AT_ONCE }, work))
    for (const worker of workers) if (worker.status === 'rejected') throw worker.reason
  }
}

/** Tries again what broke on the way. What S3 or the disk says, stands. */
async function retried<T>(action: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await action()
    } catch (error) {
      const answered = statusOf(error)
      const disk = ['ENOSPC', 'EDQUOT', 'EIO', 'EFBIG', 'EROFS'].includes((error as { code?: string }).code ?? '')
      if (tries >= TRIES || disk || (answered !== undefined && answered !== 200 && answered !== 206)) throw error
      await sleep(200 * 2 ** tries * Math.random())
    }
  }
}
