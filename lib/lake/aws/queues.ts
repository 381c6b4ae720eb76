// The queues of a deployed lake: how much waits, why the dead letters are there, and sending them, or requests to look at a
// key again, back to the ingest function. Nothing here ingests.

import { randomUUID } from 'node:crypto'
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  QueueDoesNotExist,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { StorageError } from '../errors.ts'
import { deleteFault, readFault } from '../faults.ts'
import type { ObjectStore } from '../ports.ts'
import { clientSettings } from './clients.ts'
import { readWish } from './curate-queue.ts'
import type { Deployed } from './deployed.ts'
import { guarded } from './errors.ts'
import { PoisonMessage, readMessage, replayMessage } from './messages.ts'

/** Entries that SQS takes in one call. */
const BATCH = 10
/** Dead letters that are looked at are hidden from others for this long, in seconds. */
const LOOKED_AT_SECONDS = 300
/** Receives that find nothing before the queue counts as empty: SQS asks only some of its servers each time. */
const EMPTY_LOOKS = 2

export interface QueueDepth {
  waiting: number
  inFlight: number
  delayed: number
}

export interface DeadLetter {
  /** The message's id, and the name of its fault. */
  id: string
  sentAt?: Date
  /** Landing key, where the message names one. */
  source?: string
  reason: string
  /** Nobody can read it: sending it back is in vain. */
  poison: boolean
  body: string
  attempts?: number
}

export interface Queues {
  /** As far as SQS knows: its figures are approximate. */
  depths(): Promise<{ ingest: QueueDepth; deadLetters: QueueDepth }>
  /** Of the queue of curated tables; undefined where a deployment has none yet. */
  curateDepths(): Promise<{ messages: QueueDepth; deadLetters: QueueDepth } | undefined>
  /** Dead letters with their reasons; they stay where they are. */
  listDeadLetters(options?: { most?: number; signal?: AbortSignal }): Promise<DeadLetter[]>
  /** Sends dead letters back to the ingest queue: all, or those of these ids. `missing`: ids that were not there. */
  redrive(options?: {
    ids?: readonly string[]
    onMoved?: (one: DeadLetter) => void
    signal?: AbortSignal
  }): Promise<{ moved: number; missing: string[] }>
  /**
   * Sends the dead letters of the queue of curated tables back to it: they are hints, and whoever works on one looks for itself
   * what is to be done. Gives how many; undefined where a deployment has no such queue.
   */
  redriveCurate(options?: {
    onMoved?: (one: { table?: string; reason?: string }) => void
    signal?: AbortSignal
  }): Promise<number | undefined>
  /** Has the ingest function replay these landing keys. Gives how many were sent. */
  requestReplay(
    keys: AsyncIterable<string> | Iterable<string>,
    options?: { again?: boolean; signal?: AbortSignal },
  ): Promise<number>
  close(): void
}

/**
 * Opens the queues of a deployed lake; `ops` is its ops zone, where the reasons are.
 *
 * @example
 * const { moved } = await openQueues(deployed, lake.zones.ops).redrive()
 */
export function openQueues(deployed: Deployed, ops: ObjectStore, options: { client?: SQSClient } = {}): Queues {
  const sqs = options.client ?? new SQSClient(clientSettings({ region: deployed.region }))
  const { ingest, deadLetters, curate, curateDeadLetters } = deployed.queues

  /** Goes through the dead letters of a queue, once each; those that are not taken are visible again afterwards. */
  async function eachDeadLetter(
    visit: (message: Message & { MessageId: string }) => Promise<'taken' | 'left' | 'stop'>,
    signal?: AbortSignal,
    queue = deadLetters,
  ): Promise<void> {
    const seen = new Set<string>()
    const left: string[] = []
    try {
      for (let empty = 0; empty < EMPTY_LOOKS; ) {
        signal?.throwIfAborted()
        const { Messages: messages = [] } = await sqs.send(
          new ReceiveMessageCommand({
            QueueUrl: queue,
            MaxNumberOfMessages: BATCH,
            VisibilityTimeout: LOOKED_AT_SECONDS,
            WaitTimeSeconds: 1,
            MessageSystemAttributeNames: ['SentTimestamp', 'MessageGroupId'],
          }),
        )
        empty = messages.length === 0 ? empty + 1 : 0
        let stop = false
        for (const message of messages) {
          const { MessageId: id, ReceiptHandle: handle } = message
          if (id === undefined || handle === undefined) continue
          // Seen before: it took so long that the first ones came again.
          if (seen.has(id)) stop = true
          if (stop) {
            left.push(handle)
            continue
          }
          seen.add(id)
          const answer = await visit({ ...message, MessageId: id })
          if (answer !== 'taken') left.push(handle)
          if (answer === 'stop') stop = true
        }
        if (stop) return
      }
    } finally {
      await show(queue, left)
    }
  }

  /** What was only looked at is there for others at once. Where that fails, it is there after LOOKED_AT_SECONDS. */
  async function show(queue: string, handles: string[]): Promise<void> {
    for (let start = 0; start < handles.length; start += BATCH) {
      const entries = handles
        .slice(start, start + BATCH)
        .map((handle, n) => ({ Id: String(n), ReceiptHandle: handle, VisibilityTimeout: 0 }))
      const command = new ChangeMessageVisibilityBatchCommand({ QueueUrl: queue, Entries: entries })
      await sqs.send(command).catch(() => undefined)
    }
  }

  async function describe(message: Message & { MessageId: string }): Promise<DeadLetter> {
    const { MessageId: id, Body: body = '', Attributes } = message
    const fault = await readFault(ops, id)
    const sent = Number(Attributes?.SentTimestamp)
    return { id, body, ...describeBody(body, fault), ...(sent > 0 ? { sentAt: new Date(sent) } : {}) }
  }

  async function depthOf(url: string): Promise<QueueDepth> {
    const { Attributes: found = {} } = await sqs.send(
      new GetQueueAttributesCommand({
        QueueUrl: url,
        AttributeNames: [
          'ApproximateNumberOfMessages',
          'ApproximateNumberOfMessagesNotVisible',
          'ApproximateNumberOfMessagesDelayed',
        ],
      }),
    )
    return {
      waiting: Number(found.ApproximateNumberOfMessages ?? 0),
      inFlight: Number(found.ApproximateNumberOfMessagesNotVisible ?? 0),
      delayed: Number(found.ApproximateNumberOfMessagesDelayed ?? 0),
    }
  }

  async function sendAll(bodies: string[]): Promise<void> {
    const entries = bodies.map((body, n) => ({ Id: String(n), MessageBody: body }))
    const { Failed: failed = [] } = await sqs.send(new SendMessageBatchCommand({ QueueUrl: ingest, Entries: entries }))
    const [first] = failed
    if (first)
      throw new StorageError(
        `${failed.length} of ${bodies.length} requests could not be put into the queue ${ingest}: ${first.Message ?? first.Code}. Run the same command again: what was sent already does no harm twice.`,
      )
  }

  return {
    depths: () =>
      guarded('look at the queues', async () => {
        const [one, other] = await Promise.all([depthOf(ingest), depthOf(deadLetters)])
        return { ingest: one, deadLetters: other }
      }),

    curateDepths: () =>
      guarded('look at the queue of curated tables', async () => {
        try {
          const [one, other] = await Promise.all([depthOf(curate), depthOf(curateDeadLetters)])
          return { messages: one, deadLetters: other }
        } catch (error) {
          if (error instanceof QueueDoesNotExist) return undefined
          throw error
        }
      }),

    listDeadLetters: ({ most = 100, signal } = {}) =>
      guarded('look at the dead letters', async () => {
        const found: DeadLetter[] = []
        await eachDeadLetter(async (message) => {
          if (found.length >= most) return 'stop'
          found.push(await describe(message))
          return found.length >= most ? 'stop' : 'left'
        }, signal)
        return found
      }),

    redrive: ({ ids, onMoved, signal } = {}) =>
      guarded('send dead letters back', async () => {
        const missing = new Set(ids)
        // What fails again at once comes back while we are still here, under the id that it was sent with: once is enough.
        const sentNow = new Set<string | undefined>()
        let moved = 0
        await eachDeadLetter(async (message) => {
          const { MessageId: id, ReceiptHandle, Body: body = '' } = message
          if (sentNow.has(id) || (ids && !missing.has(id))) return 'left'
          const letter = onMoved && (await describe(message))
          // Sent before it is deleted: it may come twice, which does no harm, and is never lost.
          const again = await sqs.send(new SendMessageCommand({ QueueUrl: ingest, MessageBody: body }))
          sentNow.add(again.MessageId)
          await sqs.send(new DeleteMessageCommand({ QueueUrl: deadLetters, ReceiptHandle }))
          // It comes under a new id, and should it fail again, so does its reason.
          await deleteFault(ops, id).catch(() => undefined)
          missing.delete(id)
          moved++
          if (letter) onMoved?.(letter)
          return ids && missing.size === 0 ? 'stop' : 'taken'
        }, signal)
        return { moved, missing: [...missing] }
      }),

    redriveCurate: ({ onMoved, signal } = {}) =>
      guarded('send dead letters about curated tables back', async () => {
        const sentNow = new Set<string | undefined>()
        let moved = 0
        try {
          await eachDeadLetter(
            async ({ MessageId: id, ReceiptHandle, Body: body = '', Attributes }) => {
              if (sentNow.has(id)) return 'left'
              const fault = onMoved && (await readFault(ops, id))
              const again = await sqs.send(
                new SendMessageCommand({
                  QueueUrl: curate,
                  MessageBody: body,
                  // The one of its table, whatever the message says: nobody need be able to read it.
                  MessageGroupId: Attributes?.MessageGroupId ?? '(lake)',
                  MessageDeduplicationId: randomUUID(),
                }),
              )
              sentNow.add(again.MessageId)
              await sqs.send(new DeleteMessageCommand({ QueueUrl: curateDeadLetters, ReceiptHandle }))
              await deleteFault(ops, id).catch(() => undefined)
              moved++
              onMoved?.({ ...tableOf(body), ...(fault ? { reason: fault.reason } : {}) })
              return 'taken'
            },
            signal,
            curateDeadLetters,
          )
        } catch (error) {
          if (error instanceof QueueDoesNotExist) return undefined
          throw error
        }
        return moved
      }),

    requestReplay: (keys, { again = false, signal } = {}) =>
      guarded('ask for a replay', async () => {
        let sent = 0
        let bodies: string[] = []
        const flush = async (): Promise<void> => {
          if (bodies.length === 0) return
          await sendAll(bodies)
          sent += bodies.length
          bodies = []
        }
        for await (const key of keys) {
          signal?.throwIfAborted()
          bodies.push(replayMessage(key, again))
          if (bodies.length === BATCH) await flush()
        }
        await flush()
        return sent
      }),

    close: () => {
      if (!options.client) sqs.destroy()
    },
  }
}

/** The table that a message about curated tables names, where it names one. */
function tableOf(body: string): { table?: string } {
  try {
    const wish = readWish(body)
    return 'table' in wish && wish.table !== undefined ? { table: wish.table } : {}
  } catch (error) {
    if (!(error instanceof PoisonMessage)) throw error
    return {}
  }
}

type Described = Pick<DeadLetter, 'source' | 'reason' | 'poison' | 'attempts'>

/** What a body asks for, and why it is here: as noted when it failed, or as far as the body itself shows. */
export function describeBody(
  body: string,
  fault: { source?: string; reason: string; kind: string; attempts: number } | undefined,
): Described {
  let source: string | undefined
  let unreadable: string | undefined
  try {
    source = readMessage(body)[0]?.key
  } catch (error) {
    if (!(error instanceof PoisonMessage)) throw error
    unreadable = error.message
  }
  const reason =
    fault?.reason ??
    unreadable ??
    'No reason was noted: the function may have been stopped before it could (memory, time). Look into its log.'
  const known = fault?.source ?? source
  return {
    ...(known === undefined ? {} : { source: known }),
    reason,
    poison: unreadable !== undefined,
    ...(fault ? { attempts: fault.attempts } : {}),
  }
}
