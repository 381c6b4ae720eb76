// A batch of messages → the curate use case, once for each table that they name; and which messages are to come again. A
// message says which table, never what changed: the run looks for itself.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Context as LambdaContext, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { type CurateWish, readWish } from '../../lib/lake/aws/curate-queue.ts'
import { PoisonMessage } from '../../lib/lake/aws/messages.ts'
import { StillRunning } from '../../lib/lake/errors.ts'
import { deleteFault, writeFault } from '../../lib/lake/faults.ts'
import type { Run } from '../../lib/lake/runs.ts'
import { type CurateContext, curatedTables, dependentsOf, tablesAfter } from '../../lib/pipeline/curate/context.ts'
import { CannotDropTable, dropTable } from '../../lib/pipeline/curate/left-over.ts'
import { maintainTable } from '../../lib/pipeline/curate/maintain.ts'
import { type CurateResult, curateTable } from '../../lib/pipeline/curate/run.ts'
import { type Observer, tellRun } from '../common/observe.ts'
import { limiter } from '../ingest/limiter.ts'

/** Tables worked on at the same time: they wait for Athena, and no CPU. */
const CONCURRENCY = 5
/** So long before the end nothing is waited for any more: the next run goes on with the same statements. */
const RESERVE_MS = 30_000
/** … and so long before it, whatever still runs is stopped, so that the batch can say what failed. */
const LAST_MS = 5_000
/** With less time than this before that moment no table is begun. */
const LEAST_MS = 15_000

/** Seconds until a message comes again whose statement still runs. */
const WAIT_PAUSE = 60
/** … and after its first fault; four times as long after each further one. */
const FIRST_PAUSE = 15
const LONGEST_PAUSE = 600

/** A table could not be brought up to date for a reason that may pass. */
export class CurateFailed extends Error {
  override name = 'CurateFailed'
}

export type CurateHandler = (
  event: SQSEvent,
  lambda: Pick<LambdaContext, 'getRemainingTimeInMillis' | 'awsRequestId'>,
) => Promise<SQSBatchResponse>

export interface CurateOptions {
  /** Puts messages into the queue of curated tables. Throws unless all of them are there. */
  send: (wishes: readonly CurateWish[]) => Promise<void>
  /** Tells people and programs of a run. */
  tell: (run: Run) => Promise<void>
  /** Has a message come again after so many seconds, instead of after the queue's visibility timeout. */
  comeAgain?: (record: SQSRecord, seconds: number) => Promise<void>
}

/** The messages of one table. They are one piece of work, and have one end. */
interface Group {
  records: SQSRecord[]
  wishes: CurateWish[]
}

/** The handler of a lake; `open` is called with each batch and may give the same lake each time. */
export function makeHandler(
  open: () => Promise<Omit<CurateContext, 'log' | 'onRun'>>,
  observer: Pick<Observer, 'logger' | 'metrics'>,
  { send, tell, comeAgain }: CurateOptions,
): CurateHandler {
  const { logger } = observer
  return async (event, lambda) => {
    const opened = await open()
    const { ops } = opened.lake.zones
    const end = Date.now() + lambda.getRemainingTimeInMillis()
    const deadline = new Date(Math.max(Date.now(), end - RESERVE_MS))
    const signal = AbortSignal.timeout(Math.max(1, end - LAST_MS - Date.now()))
    const limit = limiter(CONCURRENCY)
    const failed: string[] = []

    /** A context whose runs are told of. What people are told waits in `telling` until it is out. */
    const contextOf = ({ records }: Group, telling: Promise<void>[]): CurateContext => {
      const ids = { messageId: records[0]?.messageId ?? '', requestId: lambda.awsRequestId }
      const again = attemptsOf(records) > 1
      return {
        ...opened,
        // The run has its own line.
        log: ({ event, ...fields }) => event === 'run' || logger.info(event, { event, ...fields, ...ids }),
        onRun: (run) => {
          tellRun(run, observer, ids)
          // Whoever was told that it fails need not hear so with every further try.
          if (run.outcome === 'failed' && again) return
          telling.push(
            tell(run).catch((error: Error) =>
              logger.warn('notification_failed', { event: 'notification_failed', run: run.run, error }),
            ),
          )
        },
      }
    }

    const work = async (group: Group): Promise<void> => {
      const telling: Promise<void>[] = []
      const context = contextOf(group, telling)
      try {
        const { wishes } = group
        const tables = new Map<string, { full: boolean; triggers: Set<string> }>()
        const next = new Set<string>()
        for (const wish of wishes) {
          if (wish.weir !== 'curate') continue
          if ('dataset' in wish) for (const table of tablesAfter(context, [wish.dataset])) next.add(table)
          else {
            const known = tables.get(wish.table) ?? { full: false, triggers: new Set() }
            tables.set(wish.table, known)
            known.full ||= wish.full ?? false
            known.triggers.add(wish.trigger)
          }
        }
        await sendAll(next, wishes.map((wish) => ('trigger' in wish ? wish.trigger : '')).find(Boolean) ?? '')
        for (const [table, { full, triggers }] of tables) {
          if (!isKnown(context, table)) continue
          const again = attemptsOf(group.records) > 1
          logger.info('curating', { event: 'curating', table, triggers: [...triggers], messages: wishes.length })
          const result = await curateTable(context, table, { full, retryFailed: again, deadline, signal })
          await follow(context, result, again)
        }
        for (const wish of wishes) {
          if (wish.weir === 'drop') await drop(context, wish.table)
          if (wish.weir !== 'maintain') continue
          if (wish.table === undefined)
            await send(curatedTables(context).map(({ name }) => ({ weir: 'maintain', table: name })))
          else if (isKnown(context, wish.table)) await maintain(context, wish.table)
        }
      } finally {
        await Promise.all(telling)
      }
    }

    /**
     * Tidies a table. What takes longer than there is time goes on in Athena, and the next maintenance with what is left: the
     * table's own messages must not wait for it.
     */
    const maintain = async (context: CurateContext, table: string): Promise<void> => {
      const { did } = await inTime(maintainTable(context, table), deadline, () => ({
        did: ['what was begun goes on; the next maintenance does the rest'],
      }))
      logger.info('maintained', { event: 'maintained', table, did })
    }

    /** Takes a table away. Who asked has looked before: what stands against it now is no reason to try again. */
    const drop = async (context: CurateContext, table: string): Promise<void> => {
      try {
        await dropTable(context, table)
      } catch (error) {
        if (!(error instanceof CannotDropTable)) throw error
        logger.warn('not_dropped', { event: 'not_dropped', table, reason: error.message })
      }
    }

    /** A model or a dataset that a later deployment took away: nothing is to be done for it. */
    const isKnown = (context: CurateContext, table: string): boolean => {
      const known = curatedTables(context).some(({ name }) => name === table)
      if (!known) logger.info('no_such_table', { event: 'no_such_table', table })
      return known
    }

    const sendAll = async (tables: Iterable<string>, trigger: string): Promise<void> => {
      const wishes = [...tables].map((table) => ({ weir: 'curate' as const, table, trigger }))
      if (wishes.length > 0) await send(wishes)
    }

    /** What is made from a table comes after it. */
    const follow = async (context: CurateContext, result: CurateResult, again: boolean): Promise<void> => {
      const { table, outcome, why, run } = result
      if (outcome === 'nothing' || outcome === 'waiting')
        logger.info('curated_nothing', { event: 'curated_nothing', table, outcome, why })
      // Somebody may have died between publishing it and saying so.
      const missed = outcome === 'nothing' && again ? dependentsOf(context, [`curated.${table}`]) : []
      await sendAll([...result.dependents, ...missed], `curated.${table}`)
      // That a table cannot follow its contract does not pass by itself: whoever looks after the lake has been told.
      if (outcome === 'failed' && run?.reason?.code !== 'schema_change')
        throw new CurateFailed(run?.reason?.message ?? `curated.${table} could not be brought up to date.`)
    }

    const retry = async (records: SQSRecord[], seconds: number): Promise<void> => {
      for (const record of records) {
        failed.push(record.messageId)
        await comeAgain?.(record, seconds).catch((error: Error) =>
          logger.warn('pause_not_set', { event: 'pause_not_set', messageId: record.messageId, error }),
        )
      }
    }

    const noteFault = async (record: SQSRecord, error: unknown): Promise<void> => {
      const kind = error instanceof PoisonMessage ? 'poison' : 'fault'
      const reason = error instanceof Error ? error.message : String(error)
      const { messageId, body } = record
      const attempts = attemptsOf([record])
      const fields = { event: 'message_failed', kind, messageId, attempts, reason }
      logger.error('message_failed', kind === 'poison' ? { ...fields, body } : { ...fields, error: error as Error })
      try {
        await writeFault(ops, { id: messageId, kind, reason, body, attempts, at: new Date().toISOString() })
      } catch (cause) {
        logger.error('fault_not_noted', { event: 'fault_not_noted', messageId, error: cause as Error })
      }
    }

    const handle = async (group: Group): Promise<void> => {
      const { records, wishes } = group
      const attempts = attemptsOf(records)
      if (wishes.some(({ weir }) => weir === 'curate') && deadline.getTime() - Date.now() < LEAST_MS) {
        logger.info('no_time_left', { event: 'no_time_left', messages: records.length })
        return retry(records, 0)
      }
      try {
        await work(group)
      } catch (error) {
        if (error instanceof StillRunning) {
          logger.info('still_running', { event: 'still_running', reason: error.message, messages: records.length })
          return retry(records, WAIT_PAUSE)
        }
        for (const record of records) await noteFault(record, error)
        return retry(records, Math.min(LONGEST_PAUSE, FIRST_PAUSE * 4 ** (attempts - 1)))
      }
      // They had failed before: mended by now.
      for (const record of records)
        if (attemptsOf([record]) > 1)
          await deleteFault(ops, record.messageId).catch((error: Error) =>
            logger.warn('fault_not_removed', { event: 'fault_not_removed', messageId: record.messageId, error }),
          )
    }

    const groups = new Map<string, Group>()
    for (const record of event.Records) {
      let wish: CurateWish
      try {
        wish = readWish(record.body)
      } catch (error) {
        // It fails alone: the others of its group ask for something, and in whatever order they come, the answer is the same.
        await noteFault(record, error)
        await retry([record], 0)
        continue
      }
      const name = 'table' in wish && wish.table !== undefined ? wish.table : ''
      const group = groups.get(name) ?? { records: [], wishes: [] }
      groups.set(name, group)
      group.records.push(record)
      group.wishes.push(wish)
    }
    await Promise.all([...groups.values()].map((group) => limit(() => handle(group))))
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) }
  }
}

/** What work gives, or else, at the deadline, what there is to say instead. */
async function inTime<T>(work: Promise<T>, deadline: Date, late: () => T): Promise<T> {
  const over = new AbortController()
  const waited = sleep(Math.max(0, deadline.getTime() - Date.now()), undefined, { signal: over.signal })
  const timeout = waited.then(late, () => work)
  try {
    return await Promise.race([work, timeout])
  } finally {
    over.abort()
    // Should it fail later, nobody listens any more.
    work.catch(() => undefined)
  }
}

/** How often the one that came most often has come. */
function attemptsOf(records: readonly SQSRecord[]): number {
  const counts = records.map(({ attributes }) => Number(attributes?.ApproximateReceiveCount))
  return Math.max(1, ...counts.filter((count) => Number.isInteger(count)))
}
