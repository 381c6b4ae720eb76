// What somebody must look at. Every alarm goes to one topic, whose subscriber is aws.alarmEmail.

import { Aws, type CfnCondition, type CfnResource, Duration } from 'aws-cdk-lib'
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  MathExpression,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch'
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions'
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Topic } from 'aws-cdk-lib/aws-sns'
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions'
import { Construct } from 'constructs'
import { ALL_DATASETS, METRICS } from '../lake/aws/metrics.ts'
import { errorRate, lakeMetric, type Measured, weirMetric } from './measures.ts'
import { arn, type Names } from './names.ts'

export interface AlarmsProps extends Measured {
  names: Names
  alarmEmail: string | undefined
  /** Emulators know no alarms on what is calculated from several metrics. */
  onlyIf?: CfnCondition
}

export class Alarms extends Construct {
  /** Their names. */
  readonly names: string[] = []

  constructor(scope: Construct, id: string, { names, alarmEmail, onlyIf, ...measured }: AlarmsProps) {
    super(scope, id)
    const topic = new Topic(this, 'Topic', { topicName: names.alarms, displayName: 'Weir: alarms', enforceSSL: true })
    // A topic with a policy of its own has lost the one that lets the account's alarms in; without this they fail unheard.
    topic.addToResourcePolicy(
      new PolicyStatement({
        sid: 'AlarmsOfThisLake',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: {
          ArnLike: { 'aws:SourceArn': arn('cloudwatch', `alarm:${names.environment}-*`) },
          StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
        },
      }),
    )
    if (alarmEmail !== undefined) topic.addSubscription(new EmailSubscription(alarmEmail))
    const action = new SnsAction(topic)
    const alarm = (name: string, props: Omit<AlarmProps, 'alarmName' | 'treatMissingData'>) => {
      const alarmName = `${names.environment}-${name}`
      const made = new Alarm(this, name, {
        ...props,
        alarmName,
        // Nothing happened: nothing is wrong.
        treatMissingData: TreatMissingData.NOT_BREACHING,
      })
      const resource = made.node.defaultChild as CfnResource
      if (props.metric instanceof MathExpression && onlyIf) resource.cfnOptions.condition = onlyIf
      made.addAlarmAction(action)
      made.addOkAction(action)
      this.names.push(alarmName)
    }

    const above = { comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD, evaluationPeriods: 1 }
    const waiting = (queue: Measured['queue']) =>
      queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1), statistic: 'Maximum' })
    const age = (queue: Measured['queue']) =>
      queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(5), statistic: 'Maximum' })
    alarm('dead-letters', {
      ...above,
      alarmDescription: `Events wait in ${names.queues.deadLetters}: something failed five times. See "weir status", mend it, then "weir replay --dlq".`,
      metric: waiting(measured.deadLetters),
      threshold: 0,
    })
    alarm('queue-age', {
      ...above,
      alarmDescription: `A file has waited for an hour in ${names.queues.ingest}. A burst? Then raise aws.lambda.maximumConcurrency. Else see the function's errors.`,
      metric: age(measured.queue),
      threshold: 3600,
      evaluationPeriods: 2,
    })
    alarm('curate-dead-letters', {
      ...above,
      alarmDescription: `Messages wait in ${names.queues.curateDeadLetters}: a curated table could not be brought up to date, eight times over. Readers keep its last version. The reasons are in ops.runs and below faults/ in the ops bucket. Mend it, then "weir replay --dlq".`,
      metric: waiting(measured.curateDeadLetters),
      threshold: 0,
    })
    alarm('curate-queue-age', {
      ...above,
      alarmDescription: `A curated table has waited for an hour in ${names.queues.curate}: it is behind what came. See ops.runs and the log of ${names.functions.curate}.`,
      metric: age(measured.curateQueue),
      threshold: 3600,
      evaluationPeriods: 2,
    })
    alarm('model-tests', {
      ...above,
      alarmDescription:
        'The tests of a model failed. Readers keep its last good version; so do the tables made from it. The message to this topic, and ops.runs, say which test and how many rows.',
      metric: lakeMetric(names, METRICS.modelTestsFailed),
      threshold: 0,
    })
    for (const [name, worker] of Object.entries(measured.workers))
      alarm(`${name}-errors`, {
        alarmDescription: `More than one run in ten of ${names.environment}-${name} failed for a quarter of an hour. See its log group.`,
        metric: errorRate(name, worker),
        threshold: 10,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods: 3,
      })
    alarm('refused-uploads', {
      ...above,
      alarmDescription:
        'A file was refused as a whole. Its uploader was told; see "weir receipts --outcome refused" for the reason.',
      // Without a label, which would make it a calculation.
      metric: weirMetric(names, METRICS.refused, ALL_DATASETS, { label: undefined }),
      threshold: 0,
    })
  }
}
