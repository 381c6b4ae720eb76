// The metrics that dashboard and alarms read.

import { Duration } from 'aws-cdk-lib'
import { MathExpression, Metric, type MetricOptions } from 'aws-cdk-lib/aws-cloudwatch'
import type { IFunction } from 'aws-cdk-lib/aws-lambda'
import type { IQueue } from 'aws-cdk-lib/aws-sqs'
import { DIMENSIONS, METRIC_NAMESPACE } from '../lake/aws/metrics.ts'
import type { Names } from './names.ts'

/** What is measured. */
export interface Measured {
  queue: IQueue
  deadLetters: IQueue
  curateQueue: IQueue
  curateDeadLetters: IQueue
  workers: Record<'ingest' | 'reconcile' | 'curate' | 'contracts', IFunction>
}

export const PERIOD = Duration.minutes(5)

/** A metric that the functions give, of one dataset or of all. */
export const weirMetric = (names: Names, metricName: string, dataset: string, options: MetricOptions = {}): Metric =>
  new Metric({
    namespace: METRIC_NAMESPACE,
    metricName,
    dimensionsMap: { [DIMENSIONS.environment]: names.environment, [DIMENSIONS.dataset]: dataset },
    statistic: 'Sum',
    period: PERIOD,
    label: dataset,
    ...options,
  })

/** A metric of the lake, of no dataset: what reconcile and curate do. */
export const lakeMetric = (names: Names, metricName: string, label?: string): Metric =>
  new Metric({
    namespace: METRIC_NAMESPACE,
    metricName,
    dimensionsMap: { [DIMENSIONS.environment]: names.environment },
    statistic: 'Sum',
    period: PERIOD,
    // With a label it would be a calculation, to an alarm.
    ...(label === undefined ? {} : { label }),
  })

/** Failed runs of a function in percent; `name` tells it from others in one graph. */
export const errorRate = (name: string, worker: IFunction): MathExpression =>
  new MathExpression({
    expression: `100 * ${name}_errors / MAX([${name}_errors, ${name}_runs])`,
    label: name,
    period: PERIOD,
    usingMetrics: {
      [`${name}_errors`]: worker.metricErrors({ period: PERIOD, statistic: 'Sum' }),
      [`${name}_runs`]: worker.metricInvocations({ period: PERIOD, statistic: 'Sum' }),
    },
  })
