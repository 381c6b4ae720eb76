// What only S3 does to a store: answers that get lost, conflicts, missing buckets, versions that were deleted for good.

import { createReadStream } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { DeleteObjectCommand, ListMultipartUploadsCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clientSettings, openS3 } from '../../lib/lake/aws/clients.ts'
import type { Deployed } from '../../lib/lake/aws/deployed.ts'
import { LakeNotDeployed, Unreachable } from '../../lib/lake/aws/errors.ts'
import { readDeployed } from '../../lib/lake/aws/read-deployed.ts'
import { openBucketStore } from '../../lib/lake/aws/store.ts'
import { ObjectGone, PreconditionFailed, StorageError } from '../../lib/lake/errors.ts'
import type { ObjectStore } from '../../lib/lake/ports.ts'
import { makeBuckets, newNames, temporary } from './lake.ts'
import { type Fault, s3Error, startProxy } from './proxy.ts'

describe('a bucket as a zone', () => {
  let names: Deployed
  let folder: string
  let remove: () => Promise<void>
  const client = openS3({ region: 'us-east-1' })
  const open = (zone: 'landing' | 'ops', through: S3Client = client, onIgnored?: (uri: string) => void) =>
    openBucketStore({
      bucket: names.buckets[zone],
      client: through,
      versioned: zone === 'landing',
      scratch: folder,
      onIgnored,
    })

  beforeAll(async () => {
    names = newNames()
    await makeBuckets(names)
    const at = await temporary()
    folder = at.folder
    remove = at.remove
  })
  afterAll(async () => {
    client.destroy()
    await remove()
  })

  /** Runs an action on a store whose requests pass a proxy; gives the methods and paths that the proxy saw. */
  async function through<T>(
    zone: 'landing' | 'ops',
    decide: (method: string, nth: number, path: string) => Fault,
    action: (store: ObjectStore) => Promise<T>,
  ): Promise<{ result: T; requests: string[] }> {
    const requests: string[] = []
    const counts = new Map<string, number>()
    const proxy = await startProxy(({ method = '', url = '' }) => {
      const nth = (counts.get(method) ?? 0) + 1
      counts.set(method, nth)
      requests.push(`${method} ${url}`)
      return decide(method, nth, url)
    })
    const via = new S3Client({
      ...clientSettings({ region: 'us-east-1' }),
      endpoint: proxy.endpoint,
      forcePathStyle: true,
    })
    try {
      return { result: await action(open(zone, via)), requests }
    } finally {
      via.destroy()
      await proxy.close()
    }
  }

  test.each(['landing', 'ops'] as const)(
    'a first write to %s whose answer was lost has won, not lost',
    async (zone) => {
      const { result, requests } = await through(
        zone,
        (method, nth) => (method === 'PUT' && nth === 1 ? 'lose the answer' : 'pass'),
        (store) => store.put('lost/first.json', 'mine', { ifNoneMatch: '*' }),
      )
      expect(requests.filter((one) => one.startsWith('PUT'))).toHaveLength(2)
      const now = await open(zone).head('lost/first.json')
      expect(result).toMatchObject({ etag: now?.etag, version: now?.version, size: 4 })
    },
  )

  test('a compare-and-set whose answer was lost has won, not lost', async () => {
    const { etag } = await open('ops').put('lost/next.json', 'old')
    const { result } = await through(
      'ops',
      (method, nth) => (method === 'PUT' && nth === 1 ? 'lose the answer' : 'pass'),
      (store) => store.put('lost/next.json', 'mine', { ifMatch: etag }),
    )
    expect(result.etag).toBe((await open('ops').head('lost/next.json'))?.etag)
  })

  test('another write that came between the lost answer and the second try wins', async () => {
    const { etag } = await open('ops').put('lost/other.json', 'old')
    const attempt = through(
      'ops',
      (method, nth) => (method === 'PUT' && nth === 1 ? { status: 500, body: '' } : 'pass'),
      async (store) => {
        await open('ops').put('lost/other.json', 'theirs')
        return store.put('lost/other.json', 'mine', { ifMatch: etag })
      },
    )
    await expect(attempt).rejects.toThrow(PreconditionFailed)
    expect((await open('ops').get('lost/other.json'))?.body.toString()).toBe('theirs')
  })

  test('a look at a version that is answered with 400 means that there is none, unless nothing can be looked at', async () => {
    const { version } = await open('landing').put('orders/odd.csv', 'x')
    const ask = (refused: (path: string) => boolean) =>
      through(
        'landing',
        (method, _nth, path) => (method === 'HEAD' && refused(path) ? { status: 400, body: '' } : 'pass'),
        (store) => store.head('orders/odd.csv', version),
      )
    expect((await ask((path) => path.includes('versionId='))).result).toBeUndefined()
    // As with credentials that have expired: no answer must pass for "there is no such version".
    await expect(ask(() => true)).rejects.toThrow(/read s3:/)
    expect((await ask(() => false)).result).toMatchObject({ version, size: 1 })
  })

  test('409 means another write is under way: the store looks again and tries again', async () => {
    const { result, requests } = await through(
      'ops',
      (method, nth) => (method === 'PUT' && nth <= 2 ? s3Error(409, 'ConditionalRequestConflict') : 'pass'),
      (store) => store.put('conflict/free.json', 'x', { ifNoneMatch: '*' }),
    )
    expect(result.size).toBe(1)
    expect(requests.map((one) => one.split(' ')[0]).filter((method) => method === 'PUT')).toHaveLength(3)
    await expect(
      through(
        'ops',
        (method) => (method === 'PUT' ? s3Error(409, 'ConditionalRequestConflict') : 'pass'),
        (store) => store.put('conflict/free.json', 'y', { ifNoneMatch: '*' }),
      ),
    ).rejects.toThrow(PreconditionFailed)
  })

  test('a conflict without end is an error that says so', async () => {
    const attempt = through(
      'ops',
      (method) => (method === 'PUT' ? s3Error(409, 'ConditionalRequestConflict') : 'pass'),
      (store) => store.put('conflict/never.json', 'x', { ifNoneMatch: '*' }),
    )
    await expect(attempt).rejects.toThrow(/others kept writing to it at the same time/)
    await expect(attempt).rejects.toBeInstanceOf(StorageError)
  })

  test('a body that breaks off is read again', async () => {
    await open('ops').put('broken/body', Buffer.alloc(100_000, 'a'))
    const info = await open('ops').head('broken/body')
    const { result, requests } = await through(
      'ops',
      (method, nth) => (method === 'GET' && nth === 1 ? 'lose half the answer' : 'pass'),
      async (store) => {
        const fetched = await store.fetch('broken/body', info?.version ?? '')
        return (await readFile(fetched.path)).length
      },
    )
    expect(result).toBe(100_000)
    expect(requests).toHaveLength(2)
  })

  test('an upload that fails in a part leaves nothing behind, not even the other parts', async () => {
    const path = join(folder, 'fails.bin')
    await writeFile(path, Buffer.alloc(40 * 1024 * 1024))
    const attempt = through(
      'ops',
      (_method, _nth, url) => (/partNumber=2/.test(url) ? s3Error(400, 'BadDigest') : 'pass'),
      (store) => store.putFile('fails/large.bin', path),
    )
    await expect(attempt).rejects.toThrow(/Could not write s3:.*BadDigest/)
    expect(await open('ops').head('fails/large.bin')).toBeUndefined()
    const pending = await client.send(new ListMultipartUploadsCommand({ Bucket: names.buckets.ops }))
    expect(pending.Uploads ?? []).toEqual([])
  })

  test('a file that grows while it is sent does not become an object', async () => {
    const path = join(folder, 'grows.csv')
    await writeFile(path, 'a\n')
    const stream = createReadStream(path)
    const put = open('landing').put('orders/grows.csv', stream)
    await writeFile(path, 'a\n'.repeat(1000))
    const outcome = await put.then(
      (info) => info.size,
      (error: unknown) => error,
    )
    // Read before or after it grew: one of the two files, or an error, but no mixture.
    if (outcome instanceof Error) expect(outcome.message).toMatch(/changed while it was read/)
    else expect([2, 2000]).toContain(outcome)
  })

  test('stopping a large upload in the middle stores nothing', async () => {
    const controller = new AbortController()
    async function* endless() {
      for (;;) yield Buffer.alloc(1024 * 1024)
    }
    const put = open('ops').put(
      'stopped/large',
      Readable.from(endless()),
      {},
      {
        signal: controller.signal,
        onProgress: () => controller.abort(new Error('Enough.')),
      },
    )
    await expect(put).rejects.toThrow('Enough.')
    expect(await open('ops').head('stopped/large')).toBeUndefined()
  })

  test('a version that was deleted for good is gone; a delete marker is no version', async () => {
    const landing = open('landing')
    const { version } = await landing.put('orders/gone.csv', 'x')
    const Bucket = names.buckets.landing
    const marker = await client.send(new DeleteObjectCommand({ Bucket, Key: 'orders/gone.csv' }))
    await expect(landing.fetch('orders/gone.csv', marker.VersionId ?? '')).rejects.toThrow(ObjectGone)
    expect(await landing.head('orders/gone.csv', marker.VersionId ?? '')).toBeUndefined()
    expect(await landing.head('orders/gone.csv', version)).toMatchObject({ version })
    const kept = await landing.fetch('orders/gone.csv', version)
    expect(await readFile(kept.path, 'utf8')).toBe('x')
    await kept.release()
    await expect(readFile(kept.path)).rejects.toThrow('ENOENT')
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'orders/gone.csv', VersionId: version }))
    await expect(landing.fetch('orders/gone.csv', version)).rejects.toThrow(ObjectGone)
    expect(await landing.head('orders/gone.csv', version)).toBeUndefined()
    const listed: string[] = []
    for await (const { key } of landing.list('orders/gone')) listed.push(key)
    expect(listed).toEqual([])
  })

  test('objects that no key of ours can name are passed over, and told', async () => {
    const ignored: string[] = []
    for (const Key of ['names/', 'names//double.csv', 'names/good.csv'])
      await client.send(new PutObjectCommand({ Bucket: names.buckets.ops, Key, Body: Buffer.alloc(0) }))
    const listed: string[] = []
    for await (const { key } of open('ops', client, (uri) => ignored.push(uri)).list('names/')) listed.push(key)
    expect(listed).toEqual(['names/good.csv'])
    expect(ignored).toEqual([`s3://${names.buckets.ops}/names//double.csv`])
  })

  test('a listing of several pages is complete and in order, in both kinds of bucket', async () => {
    for (const zone of ['ops', 'landing'] as const) {
      const store = open(zone)
      const keys = Array.from({ length: 1050 }, (_, i) => `pages/${String(i).padStart(4, '0')}`)
      for (let start = 0; start < keys.length; start += 50)
        await Promise.all(keys.slice(start, start + 50).map((key) => store.put(key, '')))
      if (zone === 'landing') await Promise.all(keys.slice(0, 50).map((key) => store.put(key, 'again')))
      const listed: string[] = []
      for await (const { key } of store.list('pages/')) listed.push(key)
      expect(listed).toEqual(keys)
    }
  })

  test('a bucket that is not there is no empty zone', async () => {
    const missing = openBucketStore({ bucket: `${names.environment}-none`, client, versioned: false, scratch: folder })
    const list = async () => {
      for await (const _ of missing.list('')) throw new Error('There is something.')
    }
    for (const action of [
      () => missing.head('a'),
      () => missing.get('a'),
      () => missing.put('a', 'x'),
      () => missing.fetch('a', 'v'),
      list,
    ])
      await expect(action()).rejects.toThrow(LakeNotDeployed)
    await expect(missing.head('a')).rejects.toThrow(/no such bucket in this account and region.*AWS_REGION.*cdk deploy/)
  })

  test('an endpoint where nobody listens is named', async () => {
    const nobody = new S3Client({
      ...clientSettings({ region: 'us-east-1' }),
      endpoint: 'http://127.0.0.1:9',
      forcePathStyle: true,
      maxAttempts: 1,
    })
    await expect(open('ops', nobody).get('a')).rejects.toThrow(Unreachable)
    nobody.destroy()
  })
})

test('a lake that nobody deployed is named with its region, and what to do', async () => {
  const attempt = readDeployed('never-deployed', { region: 'eu-central-1' })
  await expect(attempt).rejects.toThrow(LakeNotDeployed)
  await expect(attempt).rejects.toThrow(
    /^No lake never-deployed is deployed in .*eu-central-1.*cdk deploy.*--lake aws:/,
  )
  await expect(readDeployed('Not A Name')).rejects.toThrow(/no name of a lake/)
})
