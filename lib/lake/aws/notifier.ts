// Tells of finished uploads: a message to the dataset's SNS topic for people, and an event on the lake's bus for programs.
// docs/notifications.md describes both. One failing does not keep back the other.

import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns'
import { z } from 'zod'
import { pageKeyOf, receiptKey } from '../keys.ts'
import type { Notifier } from '../ports.ts'
import { OUTCOMES, type Receipt } from '../receipt.ts'
import { renderMessage } from '../render/message.ts'
import { type Deployed, topicArn } from './deployed.ts'
import { awsError, codeOf } from './errors.ts'

export const EVENT_SOURCE = 'weir'
export const EVENT_TYPE = 'weir.upload.finished'
/** The longest that S3 signs a link for. It ends earlier with the credentials that signed it. */
const LINK_SECONDS = 7 * 24 * 60 * 60

/** The `detail` of the event. Fields may be added; none changes its meaning. */
export const uploadFinishedSchema = z.object({
  environment: z.string(),
  upload: z.string(),
  dataset: z.string(),
  source: z.string().describe('Landing key.'),
  outcome: z.enum(OUTCOMES),
  reason: z.string().optional().describe('Code of the reason, for every outcome but accepted.'),
  rows: z.object({ read: z.int(), accepted: z.int(), rejected: z.int() }),
  size: z.int().describe('Bytes as dropped.'),
  contract: z.object({ id: z.string(), version: z.string() }),
  receipt: z.object({ bucket: z.string(), key: z.string() }).describe('Where the whole receipt is.'),
  droppedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
})
export type UploadFinished = z.infer<typeof uploadFinishedSchema>

type Names = Pick<Deployed, 'partition' | 'region' | 'account' | 'environment' | 'buckets' | 'eventBus'>

export interface SnsNotifierSettings {
  sns: SNSClient
  events: EventBridgeClient
  /** Signs links, where they are signed. */
  s3: S3Client
  deployed: Names
  /**
   * The link in the message. `console`: for who can log in to the account. `presigned`: for anybody who has it, until it
   * ends. Default: console.
   */
  receiptLink?: 'console' | 'presigned' | 'none'
}

/** The topic or the bus did not take what happened; the receipt is there all the same. */
export class NotificationFailed extends Error {
  override name = 'NotificationFailed'
}

/**
 * The notifier port on SNS and EventBridge.
 *
 * @example
 * const notifier = openSnsNotifier({ sns, events, s3, deployed, receiptLink: 'console' })
 */
export function openSnsNotifier(settings: SnsNotifierSettings): Notifier {
  const { sns, events, deployed } = settings

  async function publish(receipt: Receipt): Promise<void> {
    const { subject, text } = renderMessage(
      receipt,
      { lake: `aws:${deployed.environment}` },
      await linkTo(receipt, settings),
    )
    const attribute = (StringValue: string) => ({ DataType: 'String', StringValue })
    await sns.send(
      new PublishCommand({
        TopicArn: topicArn(deployed, receipt.dataset),
        Subject: subject,
        Message: text,
        MessageAttributes: {
          dataset: attribute(receipt.dataset),
          outcome: attribute(receipt.outcome),
          environment: attribute(deployed.environment),
        },
      }),
    )
  }

  async function announce(receipt: Receipt): Promise<void> {
    const { FailedEntryCount, Entries } = await events.send(
      new PutEventsCommand({
        Entries: [
          {
            EventBusName: deployed.eventBus,
            Source: EVENT_SOURCE,
            DetailType: EVENT_TYPE,
            Time: new Date(receipt.finishedAt),
            Detail: JSON.stringify(uploadFinished(receipt, deployed)),
          },
        ],
      }),
    )
    // The call succeeds also when the bus does not take the event.
    const [entry] = Entries ?? []
    if (FailedEntryCount)
      throw new Error(`${entry?.ErrorCode ?? 'unknown error'}: ${entry?.ErrorMessage ?? 'no reason given'}`)
  }

  return {
    async notify(receipt) {
      const told = await Promise.allSettled([publish(receipt), announce(receipt)])
      const places = [`the topic ${topicArn(deployed, receipt.dataset)}`, `the event bus ${deployed.eventBus}`]
      const faults = told.flatMap((result, index) =>
        result.status === 'rejected' ? [faultOf(result.reason, places[index] ?? '')] : [],
      )
      if (faults.length > 0)
        throw new NotificationFailed(faults.map((fault) => fault.message).join(' And: '), { cause: faults })
    },
  }
}

function faultOf(error: unknown, place: string): Error {
  if (/NotFound/.test(codeOf(error)))
    return new Error(
      `Could not tell ${place}: it does not exist. Deploy the lake with its contracts: npx cdk deploy --all`,
    )
  const known = awsError(error, `tell ${place}`)
  if (known !== error && known instanceof Error) return known
  return new Error(`Could not tell ${place}: ${error instanceof Error ? error.message : String(error)}`)
}

/** What the event says of an upload: figures and names, no values of the file. */
export function uploadFinished(receipt: Receipt, { environment, buckets }: Names): UploadFinished {
  const { upload, dataset, source, outcome, reason, rows, size, contract, droppedAt, finishedAt } = receipt
  return {
    environment,
    upload,
    dataset,
    source,
    outcome,
    ...(reason === undefined ? {} : { reason: reason.code }),
    rows,
    size,
    contract: { id: contract.id, version: contract.version },
    receipt: { bucket: buckets.ops, key: receiptKey(dataset, upload) },
    droppedAt,
    finishedAt,
  }
}

async function linkTo(
  receipt: Receipt,
  { s3, deployed, receiptLink = 'console' }: SnsNotifierSettings,
): Promise<string | undefined> {
  const key = pageKeyOf(receipt.dataset, receipt.upload)
  if (receiptLink === 'none') return undefined
  if (receiptLink === 'console') return consoleLink(deployed, key)
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner')
  const get = new GetObjectCommand({
    Bucket: deployed.buckets.ops,
    Key: key,
    ResponseContentType: 'text/html; charset=utf-8',
  })
  return getSignedUrl(s3, get, { expiresIn: LINK_SECONDS })
}

const CONSOLES: Readonly<Record<string, string>> = {
  aws: 'console.aws.amazon.com',
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
}

/** An object of the ops zone in the AWS console. */
export function consoleLink({ partition, region, buckets }: Names, key: string): string {
  const host = CONSOLES[partition] ?? CONSOLES.aws
  // China and the government regions have one console each; elsewhere every region has its own.
  const site = partition === 'aws' ? `${region}.${host}` : host
  return `https://${site}/s3/object/${buckets.ops}?region=${region}&prefix=${encodeURIComponent(key)}`
}
