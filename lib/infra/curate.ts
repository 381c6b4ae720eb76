// From what changed to the curate function: one FIFO queue, in which a group is a table, its dead letters, and the clocks of
// scheduled models and of maintenance.

import { createHash } from 'node:crypto'
import { Duration } from 'aws-cdk-lib'
import { EventField, Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events'
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets'
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import { groupOf } from '../lake/aws/curate-queue.ts'
import type { AwsSettings } from '../lake/config.ts'
import type { WeirFunction } from './function.ts'
import type { Names } from './names.ts'

/** Seconds of one run of the function, the most that there are: it waits for Athena. What takes longer goes on in the next. */
export const CURATE_SECONDS = 900
/**
 * Seconds after which a message comes again whose run was killed, and never said anything: the table waits so long. Lambda wants no
 * less than the run itself. It advises six times as much, for the messages that it holds and may not run yet because the account's
 * runs are all in use; five minutes of that are in here. After them two runs may be at one table, which costs some seconds and
 * no more: they wait for the same statements, and the state goes to one of them.
 */
const UNSEEN_SECONDS = CURATE_SECONDS + 300
/** Messages that one run takes: each table among them is worked on once. */
const BATCH = 10
/**
 * Deliveries before a message is a dead letter. A statement of Athena that takes longer than a run uses one for each run, and so does
 * an account without a run to spare, every UNSEEN_SECONDS.
 */
const TRIES = 8

/** EventBridge takes 64 characters; a model's name may be longer, and begin as another's does. */
const ruleName = (name: string): string =>
  name.length <= 64 ? name : `${name.slice(0, 51)}-${createHash('sha256').update(name).digest('hex').slice(0, 12)}`

export interface CurateQueueProps {
  names: Names
  aws: AwsSettings
  /** Models that have a time of their own. */
  scheduled: { table: string; schedule: string }[]
}

/** The queue of curated tables. */
export class CurateQueue extends Construct {
  readonly queue: Queue
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, { names, aws, scheduled }: CurateQueueProps) {
    super(scope, id)
    const common = {
      fifo: true,
      // A message holds the name of a table.
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    }
    this.deadLetters = new Queue(this, 'DeadLetters', { ...common, queueName: names.queues.curateDeadLetters })
    this.queue = new Queue(this, 'Queue', {
      ...common,
      queueName: names.queues.curate,
      // Only for rules, which can give no deduplication id; whatever else sends gives its own.
      contentBasedDeduplication: true,
      deliveryDelay: Duration.seconds(aws.curate.delaySeconds),
      // The function says itself when a message is to come again, so nobody waits so long unless it dies.
      // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
      visibilityTimeout: Duration.seconds(UNSEEN_SECONDS),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: TRIES },
    })
    // The time makes each message another one: a queue drops what it had in the last five minutes.
    const at = EventField.time
    const clock = (name: string, schedule: string, description: string, wish: Parameters<typeof groupOf>[0]) =>
      new Rule(this, name, {
        ruleName: ruleName(`${names.environment}-${name}`),
        description: description.slice(0, 512),
        schedule: Schedule.expression(schedule),
        targets: [
          new SqsQueue(this.queue, {
            messageGroupId: groupOf(wish),
            message: RuleTargetInput.fromObject({ ...wish, at }),
          }),
        ],
      })
    clock('maintenance', aws.curate.maintenance, 'Tidies curated tables', { weir: 'maintain' })
    for (const { table, schedule } of scheduled)
      clock(`model-${table}`, schedule, `Makes curated.${table}`, { weir: 'curate', table, trigger: 'schedule' })
  }

  /** Lets a function work on the queue, and say which of a batch failed. */
  feed(worker: WeirFunction, aws: AwsSettings): void {
    new EventSourceMapping(this, 'Feed', {
      target: worker.function,
      eventSourceArn: this.queue.queueArn,
      batchSize: BATCH,
      reportBatchItemFailures: true,
      maxConcurrency: aws.curate.maximumConcurrency,
    })
  }
}
