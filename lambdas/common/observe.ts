// What operators see of a function: one structured line for each upload and each run of a curated table, its figures as metrics, and a trace where X-Ray is.

import { Logger } from '@aws-lambda-powertools/logger'
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware'
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics'
import type { MiddlewareObj } from '@middy/core'
import { ALL_DATASETS, DIMENSIONS, METRIC_NAMESPACE, METRICS } from '../../lib/lake/aws/metrics.ts'
import type { Receipt } from '../../lib/lake/receipt.ts'
import type { Run } from '../../lib/lake/runs.ts'
import type { Context } from '../../lib/pipeline/context.ts'

export interface Observer {
  logger: Logger
  metrics: Metrics
  /** In the order in which they are to be used. */
  middleware: MiddlewareObj[]
}

/** Logger, metrics and tracer of one function; `service` is the environment's name. */
export function observe(service = process.env.POWERTOOLS_SERVICE_NAME ?? 'weir'): Observer {
  const logger = new Logger({ serviceName: service })
  const metrics = new Metrics({ namespace: METRIC_NAMESPACE, serviceName: service })
  const coldStart: MiddlewareObj = { before: () => metrics.captureColdStartMetric() }
  return {
    logger,
    metrics,
    middleware: [injectLambdaContext(logger, { resetKeys: true }), coldStart, tracing(service)],
  }
}

/** Traces where there is a daemon to send them to; its SDK takes a while to load, so elsewhere it is not. */
function tracing(serviceName: string): MiddlewareObj {
  let middleware: Promise<MiddlewareObj> | undefined
  const load = async (): Promise<MiddlewareObj> => {
    const { Tracer } = await import('@aws-lambda-powertools/tracer')
    const { captureLambdaHandler } = await import('@aws-lambda-powertools/tracer/middleware')
    return captureLambdaHandler(new Tracer({ serviceName }), { captureResponse: false })
  }
  const get = (): Promise<MiddlewareObj> | undefined => {
    if (process.env.AWS_XRAY_DAEMON_ADDRESS) middleware ??= load()
    return middleware
  }
  return {
    before: async (request) => (await get())?.before?.(request),
    after: async (request) => (await get())?.after?.(request),
    onError: async (request) => (await get())?.onError?.(request),
  }
}

/** Events that tell of something that did not go as it should. */
const FAILURE = /_failed$|_fault$|^not_ingested$|_not_noted$/

/** A context whose events and receipts are told by these. `ids` say which message and which invocation it was. */
export function watched<T extends Omit<Context, 'log' | 'onReceipt'>>(
  opened: T,
  { logger, metrics }: Pick<Observer, 'logger' | 'metrics'>,
  ids: Record<string, string> = {},
): T & Pick<Context, 'log' | 'onReceipt'> {
  return {
    ...opened,
    log: ({ event, ...fields }) => {
      // The receipt has its own line, below.
      if (event === 'receipt') return
      if (FAILURE.test(event)) logger.warn(event, { event, ...fields, ...ids })
      else logger.info(event, { event, ...fields, ...ids })
    },
    onReceipt: (receipt) => {
      logger.info('upload', { event: 'upload', ...lineOf(receipt), ...ids })
      countUpload(metrics, receipt)
    },
  }
}

/** A run of a curated table: one line, and its figures. */
export function tellRun(
  run: Run,
  { logger, metrics }: Pick<Observer, 'logger' | 'metrics'>,
  ids: Record<string, string> = {},
): void {
  const { table, kind, outcome, scope, rows, uploads, bytesScanned, cost, reason } = run
  const fields = {
    event: 'curated',
    run: run.run,
    table,
    kind,
    outcome,
    scope,
    rows,
    uploads: { came: uploads.came, left: uploads.left },
    milliseconds: Date.parse(run.finishedAt) - Date.parse(run.startedAt),
    bytesScanned,
    cost,
    ...(reason ? { reason: reason.code } : {}),
    ...ids,
  }
  if (outcome === 'published') logger.info('curated', fields)
  else logger.warn('curated', fields)
  metrics.addMetric(METRICS.curateRuns, MetricUnit.Count, 1)
  metrics.addMetric(METRICS.modelTestsFailed, MetricUnit.Count, outcome === 'failed_tests' ? 1 : 0)
  metrics.addMetric(METRICS.curateFailed, MetricUnit.Count, outcome === 'failed' ? 1 : 0)
  metrics.addMetric(METRICS.curateBytesScanned, MetricUnit.Bytes, bytesScanned ?? 0)
  metrics.publishStoredMetrics()
}

/** One upload in one line: nothing of its data. */
function lineOf(receipt: Receipt): Record<string, unknown> {
  const { upload, dataset, source, outcome, reason, rows, size, timings, replayOf } = receipt
  return {
    upload,
    dataset,
    source,
    outcome,
    ...(reason ? { reason: reason.code } : {}),
    rows,
    bytes: size,
    timings,
    ...(replayOf === undefined ? {} : { replayOf }),
  }
}

/** Once for its dataset, and once for the lake as a whole; given out at once, since a function may be stopped at any time. */
function countUpload(metrics: Metrics, { dataset, outcome, rows, size, timings }: Receipt): void {
  for (const name of [dataset, ALL_DATASETS]) {
    metrics.addDimension(DIMENSIONS.dataset, name)
    metrics.addMetric(METRICS.uploads, MetricUnit.Count, 1)
    metrics.addMetric(METRICS.rowsRead, MetricUnit.Count, rows.read)
    metrics.addMetric(METRICS.rowsAccepted, MetricUnit.Count, rows.accepted)
    metrics.addMetric(METRICS.rowsRejected, MetricUnit.Count, rows.rejected)
    metrics.addMetric(METRICS.refused, MetricUnit.Count, outcome === 'refused' ? 1 : 0)
    metrics.addMetric(METRICS.durationMs, MetricUnit.Milliseconds, timings.total ?? 0)
    metrics.addMetric(METRICS.bytesIn, MetricUnit.Bytes, size)
    metrics.publishStoredMetrics()
  }
}
