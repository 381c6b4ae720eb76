// Repair files: CSV that Weir wrote for somebody to mend and drop again. They are known by what is in them, not by their
// names, so they may be called anything, and each row says which upload it comes from.

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { Plan } from '../contract/plan.ts'
import { REPAIR_BEGINNING } from '../engine/open.ts'
import { isUploadId } from '../lake/keys.ts'
import type { Receipt } from '../lake/receipt.ts'
import { datasetFor } from './datasets.ts'

/** Enough for a header and the first cell of the first row. */
const LOOKED_AT = 256 * 1024

/** The upload that the first row of a repair file comes from; undefined for any other file. */
export async function repairedUpload(path: string): Promise<string | undefined> {
  const text = await beginningOf(path)
  if (!REPAIR_BEGINNING.test(text)) return undefined
  // The header's names may be quoted and hold line breaks.
  const [, upload = ''] = /^(?:"[^"]*"|[^"\r\n])*[\r\n]+"?([^",;\t\r\n]*)/.exec(text) ?? []
  return isUploadId(upload) ? upload : undefined
}

/** The first characters of a file, through the compression that the engine reads too; as UTF-8, or UTF-16 that says so. */
async function beginningOf(path: string): Promise<string> {
  const first = await firstBytes(path)
  const magic = first.toString('hex', 0, 4)
  const unpacker = magic.startsWith('1f8b') ? createGunzip() : magic === '28b52ffd' ? createZstdDecompress() : undefined
  const bytes = unpacker ? await unpackedBytes(path, unpacker) : first
  const mark = bytes.toString('hex', 0, 2)
  const encoding = mark === 'fffe' ? 'utf-16le' : mark === 'feff' ? 'utf-16be' : 'utf-8'
  return new TextDecoder(encoding).decode(bytes)
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LOOKED_AT), 0, LOOKED_AT, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** No more is unpacked than is looked at, however much it would become. */
async function unpackedBytes(path: string, unpacker: ReturnType<typeof createGunzip>): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    await pipeline(createReadStream(path), unpacker, async (unpacked: AsyncIterable<Buffer>) => {
      for await (const chunk of unpacked) {
        chunks.push(chunk)
        size += chunk.length
        if (size >= LOOKED_AT) return
      }
    })
  } catch (error) {
    // Stopped when there was enough; or a damaged file, of which the engine says what is wrong with it.
    const { code } = error as NodeJS.ErrnoException
    if (size < LOOKED_AT && !/^(Z_|ZSTD_)/.test(code ?? '')) throw error
  }
  return Buffer.concat(chunks)
}

/** Whether a file repairs an upload of the dataset: then its name does not matter. */
export async function isRepairOf(
  dataset: string,
  path: string,
  receiptOf: (upload: string) => Promise<Receipt | undefined>,
): Promise<boolean> {
  const upload = await repairedUpload(path).catch(() => undefined)
  return upload !== undefined && (await receiptOf(upload))?.dataset === dataset
}

/**
 * The plan for a file that is to be dropped: the one asked for; for a repair file that of the upload it repairs; otherwise
 * the one whose `match` fits. Throws UnknownDataset.
 */
export async function datasetToDrop(
  plans: ReadonlyMap<string, Plan>,
  file: { path: string; name: string; dataset?: string },
  receiptOf: (upload: string) => Promise<Receipt | undefined>,
): Promise<Plan> {
  if (file.dataset === undefined) {
    // A file that cannot be read is told of when it is dropped.
    const upload = await repairedUpload(file.path).catch(() => undefined)
    const repaired = upload === undefined ? undefined : await receiptOf(upload)
    const plan = repaired && plans.get(repaired.dataset)
    if (plan) return plan
  }
  return datasetFor(plans, file.name, file.dataset)
}
