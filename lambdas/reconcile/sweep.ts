// One run of the scheduled reconcile: goes through the lake as far as its time reaches, keeps where it stopped in the ops
// zone for the next run, and tells what it mended. It is the safety net under the events, which may be lost.

import { MetricUnit } from '@aws-lambda-powertools/metrics'
import type { Context as LambdaContext } from 'aws-lambda'
import { METRICS } from '../../lib/lake/aws/metrics.ts'
import { RECONCILE_CURSOR } from '../../lib/lake/keys.ts'
import type { ObjectStore } from '../../lib/lake/ports.ts'
import type { Context } from '../../lib/pipeline/context.ts'
import { messageOf } from '../../lib/pipeline/project.ts'
import { reconcile } from '../../lib/pipeline/reconcile.ts'
import { type Observer, watched } from '../common/observe.ts'

/** Sources worked on at the same time: most are only looked at. */
const CONCURRENCY = 16
/** Share of the time after which nothing is begun: what is being read may take as long again. */
const BEGIN_SHARE = 0.6
/** What has not ended then is left to the next round, so that the cursor can still be kept. */
const RESERVE_MS = 10_000
/** Things told one by one; beyond it their number must do. */
const TOLD = 100

export interface Sweep {
  mended: number
  faults: number
  checked: Record<string, number>
  /** Curated tables that somebody will look at. */
  curated: number
  /** False: the next run goes on where this one stopped. */
  finished: boolean
}

export interface SweepOptions {
  /** Has every curated table looked at, and gives how many there are. Whatever told them of changes may have been lost. */
  follow?: () => Promise<number>
}

export type ReconcileHandler = (
  event: unknown,
  lambda: Pick<LambdaContext, 'getRemainingTimeInMillis' | 'awsRequestId'>,
) => Promise<Sweep>

/** The handler of a lake. The event is a clock's or a deployment's, and says nothing. */
export function makeHandler(
  open: () => Promise<Omit<Context, 'log' | 'onReceipt'>>,
  observer: Pick<Observer, 'logger' | 'metrics'>,
  { follow }: SweepOptions = {},
): ReconcileHandler {
  const { logger, metrics } = observer
  return async (_event, lambda) => {
    const opened = await open()
    const { ops } = opened.lake.zones
    const remaining = lambda.getRemainingTimeInMillis()
    const now = Date.now()
    const cursor = await readCursor(ops)
    const context = watched(opened, observer, { requestId: lambda.awsRequestId })
    const report = await reconcile(context, {
      concurrency: CONCURRENCY,
      deadline: new Date(now + remaining * BEGIN_SHARE),
      abandonAt: new Date(now + Math.max(remaining - RESERVE_MS, remaining * BEGIN_SHARE)),
      ...(cursor === undefined ? {} : { cursor }),
    })
    if (report.next !== undefined) await ops.put(RECONCILE_CURSOR, `${report.next}\n`)
    else if (cursor !== undefined) await ops.put(RECONCILE_CURSOR, '')

    for (const one of report.mended.slice(0, TOLD)) logger.info('mended', { event: 'mended', ...one })
    for (const one of report.faults.slice(0, TOLD)) logger.warn('fault', { event: 'fault', ...one })
    // After what was mended, which may have changed clean; in a run that did not get to the end, too.
    const curated = (await follow?.()) ?? 0
    const sweep: Sweep = {
      curated,
      mended: report.mended.length,
      faults: report.faults.length,
      checked: report.checked,
      finished: report.next === undefined,
    }
    logger.info('reconciled', { event: 'reconciled', ...sweep })
    metrics.addMetric(METRICS.mended, MetricUnit.Count, sweep.mended)
    metrics.addMetric(METRICS.reconcileFaults, MetricUnit.Count, sweep.faults)
    metrics.publishStoredMetrics()
    return sweep
  }
}

/** Where the last run stopped. Without it everything is looked at from the beginning, which is only slower. */
async function readCursor(ops: ObjectStore): Promise<string | undefined> {
  try {
    const text = (await ops.get(RECONCILE_CURSOR))?.body.toString().trim()
    return text === '' ? undefined : text
  } catch (error) {
    process.emitWarning(`The cursor of reconcile cannot be read: ${messageOf(error)}`)
    return undefined
  }
}
