// What a message of the ingest queue asks for. It knows shapes, and nothing of the lake: an event is a hint that a key changed.

import { z } from 'zod'

/** A landing key to look at. */
export interface Wanted {
  key: string
  /** The version that came, where the event names it: it gets its receipt, even if landing shows another one by now. */
  version?: string
  /** Somebody asked for it by `weir replay`; `again`: even if nothing changed since. */
  replay?: { again: boolean }
}

/** A message that nobody can read, however often it comes. */
export class PoisonMessage extends Error {
  override name = 'PoisonMessage'
}

const key = z.string().min(1).max(1024)
/** Not every event has one; S3 never gives longer ones. */
const version = z.string().min(1).max(1024).optional().catch(undefined)

/** Keys as they are. https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
const eventBridge = z.object({
  source: z.literal('aws.s3'),
  'detail-type': z.string(),
  detail: z.object({ object: z.object({ key, 'version-id': version }) }),
})

/** Keys encoded as in a URL. https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
const notification = z.object({
  Records: z
    .array(
      z.object({
        eventSource: z.literal('aws:s3'),
        eventName: z.string().optional(),
        s3: z.object({ object: z.object({ key, versionId: version }) }),
      }),
    )
    .min(1),
})

/** What S3 sends when somebody sets up notifications. */
const testEvent = z.object({ Service: z.literal('Amazon S3'), Event: z.literal('s3:TestEvent') })

const replay = z.strictObject({ weir: z.literal('replay'), key, again: z.boolean().optional() })

/** The message that `weir replay` sends. */
export const replayMessage = (landingKey: string, again = false): string =>
  JSON.stringify({ weir: 'replay', key: landingKey, ...(again ? { again } : {}) })

/** The keys that a message names; none for S3's test event. Throws PoisonMessage. */
export function readMessage(body: string): Wanted[] {
  let message: unknown
  try {
    message = JSON.parse(body)
  } catch (cause) {
    throw new PoisonMessage(`The message is not JSON (${(cause as Error).message}).`, { cause })
  }
  const event = eventBridge.safeParse(message)
  if (event.success) {
    const { 'detail-type': type, detail } = event.data
    return [wanted(detail.object.key, type === 'Object Created' ? detail.object['version-id'] : undefined)]
  }
  const notified = notification.safeParse(message)
  if (notified.success)
    return notified.data.Records.map(({ eventName, s3: { object } }) =>
      wanted(plainKey(object.key), eventName?.startsWith('ObjectCreated:') ? object.versionId : undefined),
    )
  if (testEvent.safeParse(message).success) return []
  const asked = replay.safeParse(message)
  if (asked.success) return [{ key: asked.data.key, replay: { again: asked.data.again ?? false } }]
  throw new PoisonMessage(
    'The message is neither an event of S3 (by EventBridge or as a notification) nor a request of weir replay.',
  )
}

/** Only what created an object names a version of a file: what deleted one names the mark that it left. */
function wanted(landingKey: string, created: string | undefined): Wanted {
  return { key: landingKey, ...(created === undefined ? {} : { version: created }) }
}

function plainKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '))
  } catch (cause) {
    throw new PoisonMessage(`The key ${JSON.stringify(encoded)} is not encoded as S3 encodes keys.`, { cause })
  }
}
