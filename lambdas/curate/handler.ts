// The curate function: messages of the queue of curated tables come, and each table that they name is brought up to date.

import middy from '@middy/core'
import type { SQSRecord } from 'aws-lambda'
import type { CurateWish } from '../../lib/lake/aws/curate-queue.ts'
import type { Run } from '../../lib/lake/runs.ts'
import { deployedFromEnvironment, once, openDeployed, readConfig } from '../common/deployed.ts'
import { openModels } from '../common/models.ts'
import { observe } from '../common/observe.ts'
import { makeHandler } from './batch.ts'

const observer = observe()

const open = once(async () => {
  const folder = import.meta.dirname
  const [opened, config] = await Promise.all([openDeployed(folder, { workgroup: 'pipeline' }), readConfig(folder)])
  const models = await openModels(config.models, opened.plans)
  return { ...opened, models, keepVersions: config.curated.keepVersions }
})

const clients = once(async () => {
  const [{ ChangeMessageVisibilityCommand, SQSClient }, { EventBridgeClient }, { SNSClient }] = await Promise.all([
    import('@aws-sdk/client-sqs'),
    import('@aws-sdk/client-eventbridge'),
    import('@aws-sdk/client-sns'),
  ])
  const { clientSettings } = await import('../../lib/lake/aws/clients.ts')
  const { openCurateQueue } = await import('../../lib/lake/aws/curate-queue.ts')
  const { openRunNotifier } = await import('../../lib/lake/aws/run-notifier.ts')
  const deployed = deployedFromEnvironment()
  const settings = clientSettings({ region: deployed.region })
  const sqs = new SQSClient(settings)
  const { delaySeconds } = (await readConfig(import.meta.dirname)).aws.curate
  return {
    queue: openCurateQueue(deployed, { client: sqs, delaySeconds }),
    notifier: openRunNotifier({ sns: new SNSClient(settings), events: new EventBridgeClient(settings), deployed }),
    show: (ReceiptHandle: string, VisibilityTimeout: number) =>
      sqs.send(
        new ChangeMessageVisibilityCommand({ QueueUrl: deployed.queues.curate, ReceiptHandle, VisibilityTimeout }),
      ),
  }
})

const options = {
  send: async (wishes: readonly CurateWish[]) => (await clients()).queue.send(wishes),
  tell: async (run: Run) => (await clients()).notifier.tell(run),
  comeAgain: async ({ receiptHandle }: SQSRecord, seconds: number) => {
    await (await clients()).show(receiptHandle, seconds)
  },
}

export const handler = middy(makeHandler(open, observer, options)).use(observer.middleware)
