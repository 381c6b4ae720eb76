// The queue of curated tables: what its messages ask for, and how they are sent. One group for each table, so that there is
// one writer for each; a message is only a hint that something changed, and the table's run looks for itself what.

import { createHash, randomUUID } from 'node:crypto'
import { SendMessageBatchCommand, SQSClient } from '@aws-sdk/client-sqs'
import { z } from 'zod'
import { StorageError } from '../errors.ts'
import { clientSettings } from './clients.ts'
import type { Deployed } from './deployed.ts'
import { guarded } from './errors.ts'
import { PoisonMessage } from './messages.ts'

/** What a message asks for. */
export type CurateWish =
  /** Bring this table up to date; `full`: make it anew. */
  | { weir: 'curate'; table: string; trigger: string; full?: boolean | undefined }
  /** Bring up to date what follows this dataset: for who does not know the models. */
  | { weir: 'curate'; dataset: string; trigger: string }
  /** Tidy this table; without one, every table. */
  | { weir: 'maintain'; table?: string | undefined }
  /** Take this table away, which nothing makes any more. */
  | { weir: 'drop'; table: string }

const name = z.string().min(1).max(512)
const trigger = z.string().max(200).default('asked for')
const wishSchema = z.union([
  z.object({ weir: z.literal('curate'), table: name, trigger, full: z.boolean().optional() }),
  z.object({ weir: z.literal('curate'), dataset: name, trigger }),
  z.object({ weir: z.literal('maintain'), table: name.optional() }),
  z.object({ weir: z.literal('drop'), table: name }),
])

/** Throws PoisonMessage for what is no message of this queue. */
export function readWish(body: string): CurateWish {
  let message: unknown
  try {
    message = JSON.parse(body)
  } catch (cause) {
    throw new PoisonMessage(`The message is not JSON (${(cause as Error).message}).`, { cause })
  }
  const wish = wishSchema.safeParse(message)
  if (wish.success) return wish.data
  throw new PoisonMessage(
    'The message asks for nothing that the curate function does: {"weir":"curate","table":…}, {"weir":"maintain"} or {"weir":"drop","table":…}.',
  )
}

/** Messages of one group are handled one after the other. What concerns no table alone has a group of its own. */
export const groupOf = (wish: CurateWish): string => idOf('table' in wish && wish.table ? wish.table : '(lake)')

/** SQS takes 128 characters for a group or a deduplication id. */
const MOST_ID = 128
const idOf = (text: string): string =>
  text.length <= MOST_ID ? text : `${text.slice(0, 60)}-${createHash('sha256').update(text).digest('hex').slice(0, 40)}`

/**
 * The id by which SQS drops what was sent already. The first message of a table in a stretch of half the queue's delay
 * arrives after the stretch is over, so its run sees all that was settled in it: the others are dropped. The other half
 * is for clocks that differ. Without a delay every message is one of its own.
 */
export function deduplicationId(wish: CurateWish, at: Date, delaySeconds: number): string {
  const stretch = Math.floor(delaySeconds / 2)
  if (stretch < 1 || wish.weir !== 'curate' || !('table' in wish) || wish.full) return randomUUID()
  return idOf(`${wish.table} ${stretch}:${Math.floor(at.getTime() / (stretch * 1000))}`)
}

/** Entries that SQS takes in one call. */
const BATCH = 10

export interface CurateQueue {
  /** Throws StorageError unless all of them are in the queue. */
  send(wishes: readonly CurateWish[]): Promise<void>
  close(): void
}

export interface CurateQueueOptions {
  /** The queue's delay, where it is known: then what comes in short order is sent as one. Default: each for itself. */
  delaySeconds?: number
  now?: () => Date
  client?: SQSClient
}

/**
 * Opens the queue of a deployed lake.
 *
 * @example
 * await openCurateQueue(deployed).send([{ weir: 'curate', dataset: 'orders', trigger: 'weir retract' }])
 */
export function openCurateQueue(
  { region, queues }: Pick<Deployed, 'region' | 'queues'>,
  { delaySeconds = 0, now = () => new Date(), client }: CurateQueueOptions = {},
): CurateQueue {
  const sqs = client ?? new SQSClient(clientSettings({ region }))
  const sendSome = async (wishes: readonly CurateWish[]): Promise<void> => {
    const entries = wishes.map((wish, index) => ({
      Id: String(index),
      MessageBody: JSON.stringify(wish),
      MessageGroupId: groupOf(wish),
      MessageDeduplicationId: deduplicationId(wish, now(), delaySeconds),
    }))
    const command = new SendMessageBatchCommand({ QueueUrl: queues.curate, Entries: entries })
    const { Failed = [] } = await sqs.send(command)
    const [first] = Failed
    if (first)
      throw new StorageError(
        `${Failed.length} of ${wishes.length} messages could not be put into the queue ${queues.curate}: ${first.Message ?? first.Code}. Try again: what was sent already does no harm twice.`,
      )
  }
  return {
    send: (wishes) =>
      guarded('ask for curated tables', async () => {
        for (let start = 0; start < wishes.length; start += BATCH) await sendSome(wishes.slice(start, start + BATCH))
      }),
    close: () => {
      if (!client) sqs.destroy()
    },
  }
}
