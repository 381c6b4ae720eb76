// Which keys a message names, in every shape that it may have.

import { describe, expect, it } from 'vitest'
import { PoisonMessage, readMessage, replayMessage } from '../../lib/lake/aws/messages.ts'
import { eventBridgeEvent, notification, S3_TEST_EVENT, SOME_VERSION } from './events.ts'

const KEYS = [
  'orders/monday.csv',
  'orders/a b.csv',
  'orders/a+b.csv',
  'orders/100%.csv',
  'orders/%41.csv',
  'orders/größe 🐟.csv',
  "orders/it's (1) & more=yes?.csv",
]

describe('readMessage', () => {
  it.each(KEYS)('gives the key %s of an EventBridge event as it is', (key) => {
    expect(readMessage(JSON.stringify(eventBridgeEvent(key)))).toEqual([{ key, version: SOME_VERSION }])
    expect(readMessage(JSON.stringify(eventBridgeEvent(key, 'Object Deleted')))).toEqual([{ key }])
  })

  it.each(KEYS)('decodes the key %s of a notification', (key) => {
    expect(readMessage(JSON.stringify(notification(key)))).toEqual([{ key, version: SOME_VERSION }])
  })

  it('gives every key of a notification', () => {
    expect(readMessage(JSON.stringify(notification(...KEYS)))).toEqual(
      KEYS.map((key) => ({ key, version: SOME_VERSION })),
    )
  })

  it('gives the version only of what was created, and only where the event names it', () => {
    const read = (event: object, change: (text: string) => string) => readMessage(change(JSON.stringify(event)))
    const removed = (text: string) => text.replace('ObjectCreated:Put', 'ObjectRemoved:DeleteMarkerCreated')
    expect(read(notification('a/b'), removed)).toEqual([{ key: 'a/b' }])
    // A bucket without versions, and MiniStack.
    const none = (text: string) => text.replace(`"version-id":"${SOME_VERSION}",`, '')
    expect(read(eventBridgeEvent('a/b'), none)).toEqual([{ key: 'a/b' }])
    const empty = (text: string) => text.replace(SOME_VERSION, '')
    expect(read(eventBridgeEvent('a/b'), empty)).toEqual([{ key: 'a/b' }])
    expect(read(notification('a/b'), empty)).toEqual([{ key: 'a/b' }])
  })

  it('finds nothing to do in the test event', () => {
    expect(readMessage(JSON.stringify(S3_TEST_EVENT))).toEqual([])
  })

  it.each(KEYS)('reads its own request to replay %s', (key) => {
    expect(readMessage(replayMessage(key))).toEqual([{ key, replay: { again: false } }])
    expect(readMessage(replayMessage(key, true))).toEqual([{ key, replay: { again: true } }])
  })

  it.each([
    ['hello', /^The message is not JSON/],
    ['', /^The message is not JSON/],
    ['{}', /neither an event of S3 .* nor a request of weir replay/],
    ['null', /neither an event of S3/],
    ['{"Records":[]}', /neither an event of S3/],
    ['{"weir":"replay"}', /neither an event of S3/],
    ['{"weir":"replay","key":"a/b","agian":true}', /neither an event of S3/],
    [JSON.stringify({ ...eventBridgeEvent('a/b'), source: 'aws.ec2' }), /neither an event of S3/],
    [
      JSON.stringify(notification('a/b')).replace('"a/b"', '"a/%ZZ"'),
      /The key "a\/%ZZ" is not encoded as S3 encodes keys/,
    ],
  ])('says why %s cannot be read', (body, why) => {
    expect(() => readMessage(body)).toThrow(PoisonMessage)
    expect(() => readMessage(body)).toThrow(why)
  })
})
