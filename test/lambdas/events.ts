// Messages as they come to the ingest queue: each shape as its service sends it, with made-up names.

import type { SQSEvent, SQSRecord } from 'aws-lambda'

const BUCKET = 'weir-landing-111122223333-eu-central-1'

export const SOME_VERSION = 'IYV3p45BT0ac8hjHg1houSdS1a.Mro8e'

/** EventBridge's event of S3: the key is plain. */
export function eventBridgeEvent(
  key: string,
  type: 'Object Created' | 'Object Deleted' = 'Object Created',
  version = SOME_VERSION,
): object {
  const created = type === 'Object Created'
  return {
    version: '0',
    id: '17793124-05d4-b198-2fde-7ededc63b103',
    'detail-type': type,
    source: 'aws.s3',
    account: '111122223333',
    time: '2026-11-12T00:00:00Z',
    region: 'eu-central-1',
    resources: [`arn:aws:s3:::${BUCKET}`],
    detail: {
      version: '0',
      bucket: { name: BUCKET },
      object: {
        key,
        ...(created ? { size: 5, etag: 'b1946ac92492d2347c6235b4d2611184' } : {}),
        'version-id': version,
        sequencer: '617f08299329d189',
      },
      'request-id': 'N4N7GDK58NMKJ12R',
      requester: '123456789012',
      'source-ip-address': '192.0.2.4',
      ...(created ? { reason: 'PutObject' } : { reason: 'DeleteObject', 'deletion-type': 'Delete Marker Created' }),
    },
  }
}

/** How S3 encodes a key in its own notifications. */
export function encodedKey(key: string): string {
  return encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+')
}

/** S3's own notification: the key is encoded, and one message may hold several records. */
export function notification(...keys: string[]): object {
  return {
    Records: keys.map((key) => ({
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      awsRegion: 'eu-central-1',
      eventTime: '2026-11-12T00:00:00.000Z',
      eventName: 'ObjectCreated:Put',
      userIdentity: { principalId: 'AWS:AIDAEXAMPLE' },
      requestParameters: { sourceIPAddress: '192.0.2.4' },
      responseElements: { 'x-amz-request-id': 'C3D13FE58DE4C810', 'x-amz-id-2': 'FMyUVURIY8' },
      s3: {
        s3SchemaVersion: '1.0',
        configurationId: 'landing',
        bucket: { name: BUCKET, ownerIdentity: { principalId: 'A3NL1KOZZKExample' }, arn: `arn:aws:s3:::${BUCKET}` },
        object: {
          key: encodedKey(key),
          size: 5,
          eTag: 'b1946ac92492d2347c6235b4d2611184',
          versionId: SOME_VERSION,
          sequencer: '0055AED6DCD90281E5',
        },
      },
    })),
  }
}

/** What S3 sends once when a bucket is told to notify. */
export const S3_TEST_EVENT = {
  Service: 'Amazon S3',
  Event: 's3:TestEvent',
  Time: '2026-11-12T00:00:00.000Z',
  Bucket: BUCKET,
  RequestId: '5582815E1AEA5ADF',
  HostId: '8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE',
}

/** One batch from the queue; `message-1` and so on. */
export function batch(bodies: (object | string)[], attempts = 1): SQSEvent {
  return {
    Records: bodies.map(
      (body, index): SQSRecord => ({
        messageId: `message-${index + 1}`,
        receiptHandle: 'AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        attributes: {
          ApproximateReceiveCount: String(attempts),
          SentTimestamp: '1763078400000',
          SenderId: 'AIDAIENQZJOLO23YVJ4VO',
          ApproximateFirstReceiveTimestamp: '1763078400001',
        },
        messageAttributes: {},
        md5OfBody: 'e4e68fb7bd0e697a0ae8f1bb342846b3',
        eventSource: 'aws:sqs',
        eventSourceARN: 'arn:aws:sqs:eu-central-1:111122223333:weir-ingest',
        awsRegion: 'eu-central-1',
      }),
    ),
  }
}
