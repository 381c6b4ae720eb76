// One page for whoever looks after the lake: what came, what was set aside, how long it took, what waits, and what it costs.

import { Duration } from 'aws-cdk-lib'
import {
  Alarm,
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch'
import { Construct } from 'constructs'
import { ALL_DATASETS, METRICS } from '../lake/aws/metrics.ts'
import { errorRate, lakeMetric, type Measured, PERIOD, weirMetric } from './measures.ts'
import { bucketName, type Names, ZONES } from './names.ts'

/** CloudWatch draws at most so many lines in a graph. */
const MOST_LINES = 100

export interface DashboardProps extends Measured {
  names: Names
  datasets: string[]
  memoryMB: number
  curateMemoryMB: number
  /** Names of the alarms: by name, so that the dashboard is also where some of them are not. */
  alarms: string[]
}

export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, props: DashboardProps) {
    super(scope, id)
    const { names, datasets, memoryMB, curateMemoryMB, alarms, ...measured } = props
    const { queue, deadLetters, curateQueue, curateDeadLetters, workers } = measured
    const each = (metric: string): IMetric[] =>
      datasets.slice(0, MOST_LINES).map((dataset) => weirMetric(names, metric, dataset))
    const graph = (title: string, left: IMetric[], label: string, right: IMetric[] = []) =>
      new GraphWidget({ title, left, right, width: 8, height: 6, leftYAxis: { min: 0, label, showUnits: false } })
    const billed = new MathExpression({
      expression: `(ingest + reconcile) / 1000 * ${memoryMB / 1024} + curate / 1000 * ${curateMemoryMB / 1024}`,
      label: 'GB-seconds of Lambda',
      period: Duration.hours(1),
      usingMetrics: {
        ingest: workers.ingest.metricDuration({ statistic: 'Sum', period: Duration.hours(1) }),
        reconcile: workers.reconcile.metricDuration({ statistic: 'Sum', period: Duration.hours(1) }),
        curate: workers.curate.metricDuration({ statistic: 'Sum', period: Duration.hours(1) }),
      },
    })
    const scanned = Object.values(names.workgroups).map(
      (workgroup) =>
        new Metric({
          namespace: 'AWS/Athena',
          metricName: 'ProcessedBytes',
          dimensionsMap: { WorkGroup: workgroup },
          statistic: 'Sum',
          period: Duration.hours(1),
          label: workgroup,
        }),
    )
    const stored = ZONES.map(
      (zone) =>
        new Metric({
          namespace: 'AWS/S3',
          metricName: 'BucketSizeBytes',
          dimensionsMap: { BucketName: bucketName(names.environment, zone), StorageType: 'StandardStorage' },
          statistic: 'Average',
          period: Duration.days(1),
          label: zone,
        }),
    )
    const day = { period: Duration.days(1) }
    new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: `${names.environment}-lake`,
      defaultInterval: Duration.days(1),
      widgets: [
        [
          new TextWidget({
            markdown: `# Lake ${names.environment}\nEvery upload has its receipt: \`SELECT * FROM ${names.databases.ops}.receipts\` in the workgroup ${names.workgroups.analysts}.`,
            width: 12,
            height: 3,
          }),
          new AlarmStatusWidget({
            title: 'Alarms',
            alarms: alarms.map((name) => Alarm.fromAlarmName(this, name, name)),
            width: 12,
            height: 3,
          }),
        ],
        [
          new SingleValueWidget({
            title: 'All datasets',
            metrics: [
              weirMetric(names, METRICS.uploads, ALL_DATASETS, { ...day, label: 'uploads' }),
              weirMetric(names, METRICS.refused, ALL_DATASETS, { ...day, label: 'refused' }),
              weirMetric(names, METRICS.rowsRead, ALL_DATASETS, { ...day, label: 'rows read' }),
              weirMetric(names, METRICS.rowsRejected, ALL_DATASETS, { ...day, label: 'rows rejected' }),
              weirMetric(names, METRICS.bytesIn, ALL_DATASETS, { ...day, label: 'bytes' }),
            ],
            width: 24,
            height: 3,
          }),
        ],
        [
          graph('Uploads', each(METRICS.uploads), 'uploads'),
          graph('Rows accepted', each(METRICS.rowsAccepted), 'rows'),
          graph('Rows rejected', each(METRICS.rowsRejected), 'rows'),
        ],
        [
          graph('Refused uploads', each(METRICS.refused), 'uploads'),
          graph(
            'From drop to receipt, as the function sees it',
            ['p50', 'p95', 'Maximum'].map((statistic) =>
              weirMetric(names, METRICS.durationMs, ALL_DATASETS, { statistic, label: statistic }),
            ),
            'ms',
          ),
          graph('Bytes in', each(METRICS.bytesIn), 'bytes'),
        ],
        [
          graph(
            'Queue',
            [
              queue.metricApproximateNumberOfMessagesVisible({
                label: 'waiting',
                period: PERIOD,
                statistic: 'Maximum',
              }),
            ],
            'events',
            [queue.metricApproximateAgeOfOldestMessage({ label: 'age in s', period: PERIOD, statistic: 'Maximum' })],
          ),
          graph(
            'Dead letters',
            [
              deadLetters.metricApproximateNumberOfMessagesVisible({
                label: 'events',
                period: PERIOD,
                statistic: 'Maximum',
              }),
            ],
            'events',
          ),
          graph(
            'Failed runs',
            Object.entries(workers).map(([name, worker]) => errorRate(name, worker)),
            '%',
          ),
        ],
        [
          graph(
            'What no event told of',
            [
              lakeMetric(names, METRICS.mended, 'mended by reconcile'),
              lakeMetric(names, METRICS.reconcileFaults, 'could not be mended'),
            ],
            'sources',
          ),
          graph(
            'Curated tables: runs',
            [
              lakeMetric(names, METRICS.curateRuns, 'runs'),
              lakeMetric(names, METRICS.modelTestsFailed, 'tests failed'),
              lakeMetric(names, METRICS.curateFailed, 'failed'),
            ],
            'runs',
            [lakeMetric(names, METRICS.curateBytesScanned, 'bytes scanned')],
          ),
          graph(
            'Curated tables: queue',
            [
              curateQueue.metricApproximateNumberOfMessagesVisible({
                label: 'waiting',
                period: PERIOD,
                statistic: 'Maximum',
              }),
              curateDeadLetters.metricApproximateNumberOfMessagesVisible({
                label: 'dead letters',
                period: PERIOD,
                statistic: 'Maximum',
              }),
            ],
            'messages',
            [
              curateQueue.metricApproximateAgeOfOldestMessage({
                label: 'age in s',
                period: PERIOD,
                statistic: 'Maximum',
              }),
            ],
          ),
        ],
        [
          graph('Cost: Lambda', [billed], 'GB-s', [
            workers.ingest.metricInvocations({ label: 'runs', period: Duration.hours(1), statistic: 'Sum' }),
          ]),
          graph('Cost: bytes scanned by Athena', scanned, 'bytes'),
          graph('Cost: bytes stored', stored, 'bytes'),
        ],
      ],
    })
  }
}
