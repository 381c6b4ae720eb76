// Which keys a message names, in every shape that it may have.

import { describe, expect, it } from 'vitest'
import { PoisonMessage, readMessage, replayMessage } from '../../lib/lake/aws/messages.ts'
import { eventBridgeEvent, notification, S3_TEST_EVENT } from './events.ts'

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
    expect(readMessage(JSON.stringify(eventBridgeEvent(key)))).toEqual([{ key }])
    expect(readMessage(JSON.stringify(eventBridgeEvent(key, 'Object Deleted')))).toEqual([{ key }])
  })

  it.each(KEYS)('decodes the key %s of a notification', (key) => {
    expect(readMessage(JSON.stringify(notification(key)))).toEqual([{ key }])
  })

  it('gives every key of a notification', () => {
    expect(readMessage(JSON.stringify(notification(...KEYS)))).toEqual(KEYS.map((key) => ({ key })))
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
