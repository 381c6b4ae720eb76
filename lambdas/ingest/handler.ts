// The ingest function: events of the landing bucket come by the queue, each key is brought to its decision, and the curated
// tables that follow its dataset are told.

import middy from '@middy/core'
import type { SQSRecord } from 'aws-lambda'
import { deployedFromEnvironment, once, openDeployed } from '../common/deployed.ts'
import { openFollow } from '../common/follow.ts'
import { observe } from '../common/observe.ts'
import { makeHandler } from './batch.ts'

const observer = observe()

/** Loaded with the first failure: most functions never need it. */
const queue = once(async () => {
  const { ChangeMessageVisibilityCommand, SQSClient } = await import('@aws-sdk/client-sqs')
  const { clientSettings } = await import('../../lib/lake/aws/clients.ts')
  const { queues, region } = deployedFromEnvironment()
  const sqs = new SQSClient(clientSettings({ region }))
  return (ReceiptHandle: string, VisibilityTimeout: number) =>
    sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: queues.ingest, ReceiptHandle, VisibilityTimeout }))
})

async function comeAgain({ receiptHandle }: SQSRecord, seconds: number): Promise<void> {
  await (await queue())(receiptHandle, seconds)
}

const follow = openFollow()
const options = { comeAgain, follow: follow.datasets }

export const handler = middy(makeHandler(once(openDeployed), observer, options)).use(observer.middleware)
