// Drop: puts a file into landing and brings it to its receipt, as if an event had come.

import { createReadStream } from 'node:fs'
import { access, constants, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { uploadId } from '../lake/keys.ts'
import { readReceipt } from '../lake/ledger.ts'
import type { Receipt } from '../lake/receipt.ts'
import type { Context, RunOptions } from './context.ts'
import { datasetFor } from './datasets.ts'
import { CannotDrop, guarded, PipelineFault } from './errors.ts'
import { ingestVersion } from './ingest.ts'
import { ensureTable } from './project.ts'

export interface Drop {
  dataset: string
  path: string
  /** Name below landing/<dataset>/; default: the file's own. */
  name?: string
}

/**
 * Gives the receipt of exactly the bytes that were dropped, also when another worker (`weir watch`) wrote it first or a
 * newer version has come meanwhile.
 *
 * @example
 * const receipt = await drop(context, { dataset: 'orders', path: './monday.csv' })
 */
export async function drop(context: Context, what: Drop, options: RunOptions = {}): Promise<Receipt> {
  const plan = datasetFor(context.plans, what.path, what.dataset)
  await assertFile(what.path)
  const key = `${plan.dataset}/${what.name ?? basename(what.path)}`
  return guarded(key, options.signal, async () => {
    await ensureTable(context, plan)
    const { landing, ops } = context.lake.zones
    const info = await landing.put(key, createReadStream(what.path))
    await ingestVersion(context, plan, key, info, options)
    const receipt = await readReceipt(ops, plan.dataset, uploadId(key, info))
    if (!receipt) throw new PipelineFault(key, new Error('its receipt is not there although it was decided'))
    return receipt
  })
}

/** Throws CannotDrop for what is not a file that can be read. */
export async function assertFile(path: string): Promise<void> {
  const found = await stat(path).catch((cause) => {
    throw new CannotDrop(`There is no file ${path}. Check the name.`, { cause })
  })
  if (found.isDirectory()) throw new CannotDrop(`${path} is a folder. Drop its files: weir drop ${path}/*`)
  if (!found.isFile()) throw new CannotDrop(`${path} is not a plain file. Copy it to one and drop that.`)
  await access(path, constants.R_OK).catch((cause) => {
    throw new CannotDrop(`${path} may not be read by you. Check its permissions.`, { cause })
  })
}
