// What AWS answers, and what a person reads of it.

import { describe, expect, test } from 'vitest'
import { deployedSchema } from '../../../lib/lake/aws/deployed.ts'
import {
  AccessDenied,
  awsError,
  CredentialsError,
  guarded,
  LakeNotDeployed,
  Throttled,
  Unreachable,
} from '../../../lib/lake/aws/errors.ts'
import { parseDeployed } from '../../../lib/lake/aws/read-deployed.ts'
import { plain } from '../../../lib/lake/aws/store.ts'
import { StorageError } from '../../../lib/lake/errors.ts'

/** An error as the SDK throws it. */
function fault(name: string, message = '', status?: number): Error {
  const error = new Error(message)
  error.name = name
  return status === undefined ? error : Object.assign(error, { $metadata: { httpStatusCode: status, attempts: 1 } })
}

const system = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code })

describe('an error of AWS becomes one line', () => {
  test.each<[string, Error, new (message: string) => Error, RegExp]>([
    [
      'an expired session',
      fault('ExpiredToken', 'The provided token has expired.', 400),
      CredentialsError,
      /login has expired.*aws sso login/,
    ],
    [
      'an expired SSO login',
      fault('TokenProviderError', 'The SSO session has expired or is otherwise invalid.'),
      CredentialsError,
      /login has expired/,
    ],
    [
      'no credentials',
      fault('CredentialsProviderError', 'Could not load credentials from any providers'),
      CredentialsError,
      /no AWS credentials.*AWS_PROFILE/,
    ],
    [
      'keys that AWS does not know',
      fault('InvalidAccessKeyId', 'The key does not exist.', 403),
      CredentialsError,
      /does not take these credentials \(InvalidAccessKeyId\)/,
    ],
    ['a wrong signature', fault('SignatureDoesNotMatch', '', 403), CredentialsError, /clock of this machine/],
    ['no region', fault('Error', 'Region is missing'), CredentialsError, /Set AWS_REGION/],
    [
      'a denial that says nothing',
      fault('AccessDenied', 'Access Denied', 403),
      AccessDenied,
      /^Could not read s3:\/\/b\/k: access denied\. Ask/,
    ],
    ['a denial of a HEAD, which has no words', fault('Forbidden', 'UnknownError', 403), AccessDenied, /access denied/],
    [
      'a denial with all there is to know',
      fault(
        'AccessDeniedException',
        'User: arn:aws:sts::123456789012:assumed-role/analyst/ann is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::b/k" because no identity-based policy allows the s3:PutObject action',
        403,
      ),
      AccessDenied,
      /arn:aws:sts::123456789012:assumed-role\/analyst\/ann may not s3:PutObject on arn:aws:s3:::b\/k\./,
    ],
    [
      'a missing bucket',
      fault('NoSuchBucket', '', 404),
      LakeNotDeployed,
      /no such bucket in this account and region.*npx cdk deploy/,
    ],
    ['a bucket elsewhere', fault('PermanentRedirect', '', 301), LakeNotDeployed, /in another region. Set AWS_REGION/],
    [
      'throttling',
      fault('SlowDown', 'Please reduce your request rate.', 503),
      Throttled,
      /asks to slow down \(SlowDown\).*try again/,
    ],
    ['too many requests', fault('TooManyRequestsException', '', 429), Throttled, /asks to slow down/],
    ['no name', system('ENOTFOUND'), Unreachable, /no connection to .*\(ENOTFOUND\)/],
    [
      'nobody there',
      Object.assign(new AggregateError([system('ECONNREFUSED')]), { code: 'ECONNREFUSED' }),
      Unreachable,
      /ECONNREFUSED/,
    ],
    [
      'too slow',
      fault('TimeoutError', 'Connection timed out after 5000 ms'),
      Unreachable,
      /TimeoutError.*Check the network/,
    ],
    [
      'anything else',
      fault('EntityTooLarge', 'Too large.', 400),
      StorageError,
      /AWS answered EntityTooLarge \(HTTP 400\): Too large\./,
    ],
  ])('%s', (_what, error, kind, message) => {
    const made = awsError(error, 'read s3://b/k')
    expect(made).toBeInstanceOf(kind)
    expect((made as Error).message).toMatch(message)
    expect((made as Error).message).not.toContain('\n')
    expect((made as Error).cause).toBe(error)
  })

  test('errors of our own and of programs stay as they are', async () => {
    for (const error of [new StorageError('Ours.'), new TypeError('A mistake.')]) {
      await expect(guarded('read s3://b/k', () => Promise.reject(error))).rejects.toBe(error)
    }
    expect(await guarded('read s3://b/k', async () => 1)).toBe(1)
  })
})

describe('what a deployment wrote about itself', () => {
  const sound = {
    format: 'weir.deployed/1',
    environment: 'weir',
    partition: 'aws',
    region: 'eu-central-1',
    account: '123456789012',
    buckets: { landing: 'l', clean: 'c', curated: 'u', ops: 'o' },
    databases: { clean: 'weir_clean', curated: 'weir_curated', ops: 'weir_ops' },
    workgroups: { analysts: 'a', pipeline: 'p' },
    queues: { ingest: 'i', deadLetters: 'd', curate: 'c', curateDeadLetters: 'cd' },
    functions: { ingest: 'i', reconcile: 'r', contracts: 'c', curate: 'u' },
    eventBus: 'e',
    maxObjectBytes: 1,
  }

  test('is read as it is', () => {
    expect(parseDeployed(JSON.stringify(sound), 'It')).toEqual(deployedSchema.parse(sound))
  })

  test.each([
    ['not JSON', 'weir', /^The parameter was written by another version of Weir, or by hand .*Deploy again/],
    ['another format', JSON.stringify({ ...sound, format: 'weir.deployed/9' }), /format: /],
    ['something missing', JSON.stringify({ ...sound, buckets: { landing: 'l' } }), /buckets\.clean: /],
  ])('%s is said', (_what, text, message) => {
    expect(() => parseDeployed(text, 'The parameter')).toThrow(LakeNotDeployed)
    expect(() => parseDeployed(text, 'The parameter')).toThrow(message)
  })
})

test('keys of a listing are decoded when the listing says that they are encoded', () => {
  expect(plain('a+b%2B%25/%F0%9F%93%88%0A', 'url')).toBe('a b+%/📈\n')
  expect(plain('a+b%2B', undefined)).toBe('a+b%2B')
  expect(plain(undefined, 'url')).toBeUndefined()
})
