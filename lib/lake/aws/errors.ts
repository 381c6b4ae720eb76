// What AWS answers, in words that tell the reader what to do next: one line each, with the SDK's error as the cause.

import { StorageError } from '../errors.ts'

/** No credentials, or ones that have expired or that AWS does not know. */
export class CredentialsError extends Error {
  override name = 'CredentialsError'
}

/** The credentials are good and do not allow this. */
export class AccessDenied extends Error {
  override name = 'AccessDenied'
}

/** There is no lake of that name in this account and region, or parts of it are missing. */
export class LakeNotDeployed extends Error {
  override name = 'LakeNotDeployed'
}

/** AWS asked to slow down until all tries were used up. Nothing is half done. */
export class Throttled extends StorageError {
  override name = 'Throttled'
}

/** AWS, or the emulator that AWS_ENDPOINT_URL points at, could not be reached. */
export class Unreachable extends StorageError {
  override name = 'Unreachable'
}

const EXPIRED = new Set(['ExpiredToken', 'ExpiredTokenException', 'RequestExpired', 'TokenRefreshRequired'])
const UNKNOWN_KEYS = new Set([
  'InvalidAccessKeyId',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
  'AuthFailure',
  'NotAuthorized',
])
const NO_CREDENTIALS = new Set(['CredentialsProviderError', 'TokenProviderError', 'ProviderError'])
const DENIED = new Set(['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation', 'AuthorizationError'])
const THROTTLED = new Set([
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'ServiceUnavailable',
])
const NETWORK = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'TimeoutError',
])

interface ServiceFault extends Error {
  code?: string
  $metadata?: { httpStatusCode?: number; attempts?: number }
}

/** The name of an error of the SDK or of the system. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const { name, code } = error as ServiceFault
  // A failed connection to a name with several addresses is an AggregateError that says nothing but its code.
  return ['Error', 'AggregateError', 'TypeError'].includes(name) && code !== undefined ? code : name
}

/** The HTTP status that AWS answered with, if it did. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof Error ? (error as ServiceFault).$metadata?.httpStatusCode : undefined
}

/** How often a request was tried before this error came. */
export function attemptsOf(error: unknown): number {
  return error instanceof Error ? ((error as ServiceFault).$metadata?.attempts ?? 1) : 1
}

/**
 * One of the errors above for what AWS or the network reported; anything else comes back as it is.
 *
 * @param doing what was being done, after "could not": `read s3://bucket/key`
 */
export function awsError(error: unknown, doing: string): unknown {
  // Ours has the name that S3 gives to its own: what it says is known already, and better.
  if (!(error instanceof Error) || error instanceof AccessDenied) return error
  const code = codeOf(error)
  const status = statusOf(error)
  const cause = { cause: error }
  if (EXPIRED.has(code) || (NO_CREDENTIALS.has(code) && /expired/i.test(error.message))) {
    return new CredentialsError(
      'The AWS login has expired. Log in again ("aws sso login", or renew the session), then run the same once more.',
      cause,
    )
  }
  if (NO_CREDENTIALS.has(code) || /could not load credentials/i.test(error.message)) {
    return new CredentialsError(
      'There are no AWS credentials here. Log in ("aws sso login" or "aws configure"), or name a profile in AWS_PROFILE.',
      cause,
    )
  }
  if (UNKNOWN_KEYS.has(code)) {
    return new CredentialsError(
      `AWS does not take these credentials (${code}). Check AWS_PROFILE and AWS_ACCESS_KEY_ID, and the clock of this machine.`,
      cause,
    )
  }
  if (/^region is missing/i.test(error.message)) {
    return new CredentialsError(
      'No AWS region is set. Set AWS_REGION, or "region" in the profile or in weir.yaml.',
      cause,
    )
  }
  if (DENIED.has(code) || status === 403) return new AccessDenied(denial(error, doing), cause)
  if (code === 'NoSuchBucket') return missingBucket(doing, error)
  if (code === 'PermanentRedirect' || status === 301) {
    return new LakeNotDeployed(
      `Could not ${doing}: the bucket is in another region. Set AWS_REGION to the region that the lake was deployed in.`,
      cause,
    )
  }
  if (THROTTLED.has(code) || status === 429 || status === 503) {
    return new Throttled(
      `Could not ${doing}: AWS asks to slow down (${code}). Nothing was changed; try again in a minute.`,
      cause,
    )
  }
  if (NETWORK.has(code)) {
    const where = process.env.AWS_ENDPOINT_URL ? `AWS_ENDPOINT_URL=${process.env.AWS_ENDPOINT_URL}` : 'AWS'
    return new Unreachable(`Could not ${doing}: no connection to ${where} (${code}). Check the network.`, cause)
  }
  if (status !== undefined) {
    return new StorageError(`Could not ${doing}: AWS answered ${code} (HTTP ${status}): ${error.message}`, cause)
  }
  return error
}

/** A bucket of the lake is not there. */
export function missingBucket(doing: string, cause?: unknown): LakeNotDeployed {
  return new LakeNotDeployed(
    `Could not ${doing}: there is no such bucket in this account and region. Was the lake deleted, or deployed elsewhere? Check AWS_REGION and AWS_PROFILE, or deploy it: npx cdk deploy --all`,
    { cause },
  )
}

/** Runs an action; what AWS reports comes out as one of the errors above. */
export async function guarded<T>(doing: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw awsError(error, doing)
  }
}

/** IAM names user, action and resource in its message where it may; S3 often just says "Access Denied". */
function denial(error: Error, doing: string): string {
  const [, who, action, on] =
    /^(?:User: )?(\S+) is not authorized to perform: (\S+)(?: on resource: "?([^\s"]+)"?)?/.exec(error.message) ?? []
  if (action === undefined) {
    return `Could not ${doing}: access denied. Ask whoever runs the lake for a role that may (uploader, analyst or engineer).`
  }
  return `Could not ${doing}: ${who} may not ${action}${on ? ` on ${on}` : ''}. Ask whoever runs the lake for a role that may.`
}
