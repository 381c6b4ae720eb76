// From an object in landing to the ingest function: EventBridge → queue → function, and the dead letters.

import { Duration } from 'aws-cdk-lib'
import { Rule } from 'aws-cdk-lib/aws-events'
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets'
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import { Construct } from 'constructs'
import type { AwsSettings } from '../lake/config.ts'
import type { WeirFunction } from './function.ts'
import { bucketName, type Names } from './names.ts'

/** Deliveries before an event goes to the dead letters. */
const TRIES = 5

export interface IngestQueueProps {
  names: Names
  aws: AwsSettings
}

/** The queue of landing's events. A burst waits here; nothing is throttled away. */
export class IngestQueue extends Construct {
  readonly queue: Queue
  readonly deadLetters: Queue

  constructor(scope: Construct, id: string, { names, aws }: IngestQueueProps) {
    super(scope, id)
    const common = {
      // Not with the lake's key: EventBridge could not send, unless the key let every rule of the account use it. An event
      // holds names and sizes, no data.
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    }
    this.deadLetters = new Queue(this, 'DeadLetters', { ...common, queueName: names.queues.deadLetters })
    this.queue = new Queue(this, 'Queue', {
      ...common,
      queueName: names.queues.ingest,
      // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: six times the function's timeout
      visibilityTimeout: Duration.seconds(6 * aws.lambda.timeoutSeconds),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: TRIES },
    })
    new Rule(this, 'Landing', {
      ruleName: `${names.environment}-landing`,
      description: 'Objects that came to landing, or went',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created', 'Object Deleted'],
        detail: { bucket: { name: [bucketName(names.environment, 'landing')] } },
      },
      targets: [new SqsQueue(this.queue)],
    })
  }

  /** Lets a function work on the queue, so many uploads at a time, and say which of a batch failed. */
  feed(worker: WeirFunction, aws: AwsSettings): void {
    new EventSourceMapping(this, 'Feed', {
      target: worker.function,
      eventSourceArn: this.queue.queueArn,
      batchSize: aws.lambda.batchSize,
      reportBatchItemFailures: true,
      // Instead of reserved concurrency, which a new account has none to give of. It must stay below what the account allows:
      // a throttled event is received again much later, and after five times it is a dead letter.
      maxConcurrency: aws.lambda.maximumConcurrency,
    })
  }
}
