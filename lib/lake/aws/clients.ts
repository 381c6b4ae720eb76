// How every AWS client of Weir is made: once, with the same patience. Region and credentials come by the SDK's own chain,
// and so does the endpoint of an emulator (AWS_ENDPOINT_URL).

import { S3Client } from '@aws-sdk/client-s3'

/** Tries of one request. With the SDK's backoff the last comes after some 20 s: longer than S3 asks anybody to slow down. */
const ATTEMPTS = 7
const CONNECT_MILLISECONDS = 5_000
/** A connection on which nothing moves for this long is dead. */
const IDLE_MILLISECONDS = 60_000

export interface ClientOptions {
  /** Default: what the SDK finds (AWS_REGION, or the profile's). */
  region?: string
}

/**
 * The settings of any client.
 *
 * @example
 * const glue = new GlueClient(clientSettings({ region: deployed.region }))
 */
export function clientSettings({ region }: ClientOptions = {}) {
  return {
    ...(region === undefined ? {} : { region }),
    maxAttempts: ATTEMPTS,
    retryMode: 'standard',
    requestHandler: {
      connectionTimeout: CONNECT_MILLISECONDS,
      socketTimeout: IDLE_MILLISECONDS,
      httpsAgent: { keepAlive: true, maxSockets: 100 },
      httpAgent: { keepAlive: true, maxSockets: 100 },
    },
  }
}

/** An emulator has no DNS names for buckets: then the bucket goes into the path. */
export function openS3(options: ClientOptions = {}): S3Client {
  const endpoint = process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL
  return new S3Client({ ...clientSettings(options), ...(endpoint ? { forcePathStyle: true } : {}) })
}
