// A batch of messages → the ingest use case, once for each landing key; and which messages are to come again.
// What fails is noted in the ops zone under the message's id, because a message in the dead-letter queue cannot say why
// it is there: `weir status` and `weir replay --dlq` read it.

import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch'
import type { Context as LambdaContext, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { PoisonMessage, readMessage, type Wanted } from '../../lib/lake/aws/messages.ts'
import { deleteFault, writeFault } from '../../lib/lake/faults.ts'
import { datasetOfKey } from '../../lib/lake/keys.ts'
import type { Context } from '../../lib/pipeline/context.ts'
import { UnknownDataset } from '../../lib/pipeline/errors.ts'
import { isIgnored } from '../../lib/pipeline/ignored.ts'
import { ingest } from '../../lib/pipeline/ingest.ts'
import { replayOne } from '../../lib/pipeline/replay.ts'
import { settleVersion } from '../../lib/pipeline/settle-version.ts'
import { type Observer, watched } from '../common/observe.ts'
import { limiter } from './limiter.ts'

/** Keys worked on at the same time: while one waits for S3, the other uses the CPUs. */
const CONCURRENCY = 2
/** Nothing is begun with less time left than this … */
const LEAST_MS = 15_000
/** … and what runs is stopped so long before the end, so that the batch can still say what failed. */
const RESERVE_MS = 5_000

/** Seconds until a message comes again, after its first fault; four times as long after each further one. */
const FIRST_PAUSE = 15
const LONGEST_PAUSE = 900

/** There was no time for it in this run. It comes again. */
export class OutOfTime extends Error {
  override name = 'OutOfTime'
}

export type IngestHandler = (
  event: SQSEvent,
  lambda: Pick<LambdaContext, 'getRemainingTimeInMillis' | 'awsRequestId'>,
) => Promise<SQSBatchResponse>

export interface IngestOptions {
  /** Has a message come again after so many seconds, instead of after the queue's visibility timeout of hours. */
  comeAgain?: (record: SQSRecord, seconds: number) => Promise<void>
  /**
   * Tells what follows these datasets, after their uploads were brought to their decisions: whenever somebody looked, also where
   * nothing was new, because whoever found it new may have died before it could tell. Throws, and the message comes again.
   */
  follow?: (datasets: Iterable<string>) => Promise<void>
}

/** The handler of a lake; `open` is called with each batch and may give the same lake each time. */
export function makeHandler(
  open: () => Promise<Omit<Context, 'log' | 'onReceipt'>>,
  observer: Pick<Observer, 'logger' | 'metrics'>,
  { comeAgain, follow }: IngestOptions = {},
): IngestHandler {
  const { logger } = observer
  return async (event, lambda) => {
    const opened = await open()
    const { ops } = opened.lake.zones
    const limit = limiter(CONCURRENCY)
    const end = Date.now() + lambda.getRemainingTimeInMillis()
    const signal = AbortSignal.timeout(Math.max(1, end - RESERVE_MS - Date.now()))
    const tasks = new Map<string, Promise<Brought>>()

    /** Several messages about one key are one look at it: it begins after all of them came. */
    const once = (task: string, key: string, messageId: string, run: (context: Context) => Promise<Brought>) => {
      const running = tasks.get(task) ?? limit(() => work(key, messageId, run))
      tasks.set(task, running)
      return running
    }

    /**
     * Brings the key to its decision, and then the version that the message tells of, should that not be the same. Gives the
     * dataset that may have changed.
     */
    const bringAll = async (wanted: Wanted, messageId: string): Promise<string | undefined> => {
      const { key, version, replay } = wanted
      const kind = replay ? (replay.again ? 'again' : 'replay') : 'event'
      const brought = await once(`${kind} ${key}`, key, messageId, (context) => bring(context, wanted, signal))
      if (brought.passedBy) return undefined
      const dataset = datasetOfKey(key)
      if (version === undefined || brought.version === version) return dataset
      await once(`version ${version} ${key}`, key, messageId, async (context) => ({
        version: (await settleVersion(context, key, version, { signal }))?.version,
      }))
      return dataset
    }

    const work = async (key: string, messageId: string, run: (context: Context) => Promise<Brought>) => {
      if (end - Date.now() < LEAST_MS + RESERVE_MS)
        throw new OutOfTime(`There was no time left to begin with ${key} in this run.`)
      const ids = { messageId, requestId: lambda.awsRequestId }
      const context = watched(opened, observer, ids)
      try {
        return await run(context)
      } catch (error) {
        if (!signal.aborted) throw error
        throw new OutOfTime(
          `${key} could not be finished before the function's time was over. Nothing of it can be seen in the lake. If this is so each time, give the function more memory or time (aws.lambda in weir.yaml), or split the file.`,
          { cause: error },
        )
      }
    }

    const failed = async (record: SQSRecord, error: unknown, source: string | undefined): Promise<void> => {
      const kind = error instanceof PoisonMessage ? 'poison' : 'fault'
      const reason = error instanceof Error ? error.message : String(error)
      const attempts = attemptsOf(record)
      const { messageId, body } = record
      const fields = { event: 'message_failed', kind, messageId, source, attempts, reason }
      logger.error('message_failed', kind === 'poison' ? { ...fields, body } : { ...fields, error: error as Error })
      try {
        await writeFault(ops, { id: messageId, source, kind, reason, body, attempts, at: new Date().toISOString() })
      } catch (cause) {
        logger.error('fault_not_noted', { event: 'fault_not_noted', messageId, error: cause as Error })
      }
      // Poison need not wait for what will not change.
      const pause = kind === 'poison' ? 0 : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 4 ** (attempts - 1))
      await comeAgain?.(record, pause).catch((cause: Error) =>
        logger.warn('pause_not_set', { event: 'pause_not_set', messageId, error: cause }),
      )
    }

    const handle = async (record: SQSRecord): Promise<void> => {
      let wanted: Wanted[] = []
      try {
        wanted = readMessage(record.body)
        const ends = await Promise.allSettled(wanted.map((one) => bringAll(one, record.messageId)))
        const changed: string[] = []
        for (const one of ends) {
          if (one.status === 'rejected') throw one.reason
          if (one.value !== undefined) changed.push(one.value)
        }
        await follow?.(changed)
      } catch (error) {
        await failed(record, error, wanted[0]?.key)
        throw error
      }
      // It had failed before: mended by now.
      if (attemptsOf(record) > 1)
        await deleteFault(ops, record.messageId).catch((error: Error) =>
          logger.warn('fault_not_removed', { event: 'fault_not_removed', messageId: record.messageId, error }),
        )
    }

    const processor = new BatchProcessor(EventType.SQS)
    return processPartialResponse(event, handle, processor, { throwOnFullBatchFailure: false })
  }
}

interface Brought {
  /** The version whose receipt this run wrote. */
  version?: string | undefined
  /** It is no file of ours. */
  passedBy?: true
}

/** Brings a key to its decision. What belongs to no dataset stays in landing, with a line in the log; reconcile tells of it too. */
async function bring(context: Context, { key, replay }: Wanted, signal: AbortSignal): Promise<Brought> {
  try {
    if (replay) {
      const { result, detail } = await replayOne(context, key, { signal, again: replay.again })
      context.log({ event: 'replayed', source: key, result, detail })
      return {}
    }
    if (await isIgnored(context, key)) return { passedBy: true }
    return { version: (await ingest(context, key, { signal }))?.version }
  } catch (error) {
    const hopeless = error instanceof UnknownDataset || (error instanceof Error && error.name === 'InvalidKey')
    if (!hopeless) throw error
    context.log({ event: 'not_ingested', source: key, error: error.message, advice: 'The file stays where it is.' })
    return { passedBy: true }
  }
}

function attemptsOf({ attributes }: SQSRecord): number {
  const count = Number(attributes?.ApproximateReceiveCount)
  return Number.isInteger(count) && count > 0 ? count : 1
}
