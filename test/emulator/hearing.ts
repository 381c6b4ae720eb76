// Listens where a deployed lake tells of uploads: queues behind the dataset's topic and behind the lake's bus.

import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge'
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { clientSettings } from '../../lib/lake/aws/clients.ts'
import { type Deployed, topicName } from '../../lib/lake/aws/deployed.ts'
import { EVENT_SOURCE } from '../../lib/lake/aws/notifier.ts'

export interface Ears {
  /** Messages of the topic that came since the last call; waits until there are so many. */
  topic(atLeast: number): Promise<string[]>
  /** Events of the bus, in the same way. */
  bus(atLeast: number): Promise<{ detail: { upload: string } }[]>
}

/** Makes topic and bus, as the stacks do, and listens to both. */
export async function listen(names: Deployed, dataset: string): Promise<Ears> {
  const settings = clientSettings({ region: names.region })
  const sqs = new SQSClient(settings)
  const sns = new SNSClient(settings)
  const events = new EventBridgeClient(settings)

  async function makeQueue(name: string): Promise<{ url: string; arn: string }> {
    const { QueueUrl: url = '' } = await sqs.send(new CreateQueueCommand({ QueueName: `${names.environment}-${name}` }))
    const wanted = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] })
    return { url, arn: (await sqs.send(wanted)).Attributes?.QueueArn ?? '' }
  }

  async function receive(QueueUrl: string, atLeast: number): Promise<string[]> {
    const bodies: string[] = []
    // Two more looks than it takes: one too many must show.
    for (let empty = 0; empty < (bodies.length < atLeast ? 100 : 2); ) {
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))
      if (Messages.length === 0) empty++
      for (const { Body = '', ReceiptHandle } of Messages) {
        bodies.push(Body)
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
      }
      if (Messages.length === 0) await sleep(100)
    }
    return bodies
  }

  const heard = await makeQueue('heard-topic')
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: topicName(names.environment, dataset) }))
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: heard.arn }))

  const seen = await makeQueue('heard-bus')
  const EventBusName = names.eventBus
  await events.send(new CreateEventBusCommand({ Name: EventBusName }))
  const EventPattern = JSON.stringify({ source: [EVENT_SOURCE] })
  await events.send(new PutRuleCommand({ Name: 'all', EventBusName, EventPattern }))
  await events.send(new PutTargetsCommand({ Rule: 'all', EventBusName, Targets: [{ Id: 'queue', Arn: seen.arn }] }))

  return {
    topic: (atLeast) => receive(heard.url, atLeast),
    bus: async (atLeast) => (await receive(seen.url, atLeast)).map((body) => JSON.parse(body)),
  }
}
