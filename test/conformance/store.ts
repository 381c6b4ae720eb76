// What every object store must do, on any adapter. `open` gives a fresh, empty lake; the suite closes it.
// Landing keeps older versions and the other zones do not; all else is the same, so most tests run on both kinds.

import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { InvalidKey, ObjectGone, PreconditionFailed } from '../../lib/lake/errors.ts'
import type { Lake, ObjectInfo, ObjectStore, PutCondition, Zone } from '../../lib/lake/ports.ts'

const TWENTY = Array.from({ length: 20 }, (_, index) => index)

export const ODD_KEYS = [
  'with space/and  two.csv',
  'quote\'s/"double".csv',
  'plus+and%20percent%/100%.csv',
  'emoji/📈 ümlaut é.csv',
  'new\nline/tab\t.csv',
  'back\\slash.csv',
  '.hidden/.dot',
  'trailing. /dot.',
  'star*/what?/[a-z]/{b}.csv',
  'key=value/a=b/ä=ö.csv',
  '-rf/--help',
  'long~weir+/x',
  'ends~weir+',
  `${'a'.repeat(240)}~weir+`,
  `one/${'x'.repeat(255)}`,
  `one/${'x'.repeat(256)}`,
  `one/${'x'.repeat(256)}y/below`,
  `one/${'x'.repeat(240)}.`,
  `one/${'.'.repeat(242)}`,
  `emoji/${'📈'.repeat(150)}.csv`,
  'k'.repeat(1024),
  `${'segment/'.repeat(127)}last.csv`,
]

const BAD_KEYS: [string, RegExp][] = [
  ['', /empty/],
  ['/absolute.csv', /starts with "\/"/],
  ['folder/', /ends in "\/"/],
  ['a//b', /empty segment/],
  ['../up', /segment "\.\."/],
  ['a/../../b', /segment "\.\."/],
  ['./a', /segment "\."/],
  ['a/.', /segment "\."/],
  ['nul\0', /NUL/],
  ['x'.repeat(1025), /1025 bytes long; 1024 is the most/],
  ['é'.repeat(513), /1026 bytes long/],
  ['half \ud83d', /Unicode/],
]

async function keysOf(store: ObjectStore, prefix: string, after?: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(prefix, { after })) keys.push(key)
  return keys
}

async function outcomes(all: Promise<unknown>[]): Promise<{ won: number; refused: number }> {
  const settled = await Promise.allSettled(all)
  const lost = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
  for (const reason of lost) expect(reason).toBeInstanceOf(PreconditionFailed)
  return { won: settled.length - lost.length, refused: lost.length }
}

export function objectStoreConformance(name: string, open: () => Promise<Lake>): void {
  describe.each<Zone>(['ops', 'landing'])(`object store: ${name}, zone %s`, (zone) => {
    let lake: Lake
    let store: ObjectStore
    let work: string

    const textOf = async (key: string) => (await store.get(key))?.body.toString()
    /** What others see of an object that was put. Outside landing the time of a put may be a moment off. */
    const seen = (put: ObjectInfo): ObjectInfo => ({
      ...put,
      modified: zone === 'landing' ? put.modified : (expect.any(Date) as unknown as Date),
    })

    beforeAll(async () => {
      work = await mkdtemp(join(tmpdir(), 'weir-store-'))
      lake = await open()
      store = lake.zones[zone]
    })
    afterAll(async () => {
      await lake.close()
      await rm(work, { recursive: true })
    })

    test('what is put is there: head, get and list agree', async () => {
      const before = Date.now() - 2000
      const put = await store.put('basic/a.json', '{"a":1}')
      expect(put).toMatchObject({ key: 'basic/a.json', size: 7 })
      expect(put.etag).not.toBe('')
      expect(put.modified.getTime()).toBeGreaterThan(before)
      expect(await store.head('basic/a.json')).toEqual(seen(put))
      expect(await store.get('basic/a.json')).toEqual({ info: seen(put), body: Buffer.from('{"a":1}') })
      const listed: ObjectInfo[] = []
      for await (const info of store.list('basic/')) listed.push(info)
      expect(listed).toEqual([seen(put)])
    })

    test('what is not there is undefined, and can be deleted', async () => {
      expect(await store.head('nothing/here')).toBeUndefined()
      expect(await store.get('nothing/here')).toBeUndefined()
      await store.delete('nothing/here')
      await store.put('file', 'x')
      expect(await store.head('file/below')).toBeUndefined()
      expect(await store.get('file/below')).toBeUndefined()
      await store.delete('file/below')
      expect(await textOf('file')).toBe('x')
      await store.put('folder/file', 'x')
      expect(await store.head('folder')).toBeUndefined()
      expect(await store.get('folder')).toBeUndefined()
      await store.delete('folder')
      expect(await textOf('folder/file')).toBe('x')
    })

    test('an empty object, bytes and a stream are stored as they are', async () => {
      await store.put('kinds/empty', '')
      expect(await store.get('kinds/empty')).toMatchObject({ info: { size: 0 }, body: Buffer.alloc(0) })
      const bytes = Buffer.from([0, 255, 10, 13, 0])
      await store.put('kinds/bytes', bytes)
      expect((await store.get('kinds/bytes'))?.body).toEqual(bytes)
      await store.put('kinds/stream', Readable.from([Buffer.from('a'), Buffer.from('bc')]))
      expect(await textOf('kinds/stream')).toBe('abc')
    })

    test('a big streamed put arrives whole', async () => {
      const chunk = Buffer.alloc(256 * 1024, 'weir')
      async function* chunks() {
        for (let i = 0; i < 40; i++) yield chunk
      }
      const info = await store.put('big/stream', Readable.from(chunks()))
      expect(info.size).toBe(40 * chunk.length)
      expect(await store.head('big/stream')).toEqual(seen(info))
      const fetched = await store.fetch('big/stream', info.version)
      const body = await readFile(fetched.path)
      await fetched.verify()
      await fetched.release()
      expect(body.equals(Buffer.concat(Array.from({ length: 40 }, () => chunk)))).toBe(true)
    })

    test('a stream that breaks leaves what was there before', async () => {
      await store.put('broken', 'before')
      async function* breaking() {
        yield Buffer.from('half')
        throw new Error('The line went dead.')
      }
      await expect(store.put('broken', Readable.from(breaking()))).rejects.toThrow('The line went dead.')
      expect(await textOf('broken')).toBe('before')
      await expect(store.put('broken-new', Readable.from(breaking()))).rejects.toThrow('The line went dead.')
      expect(await store.head('broken-new')).toBeUndefined()
    })

    test('putFile stores a local file', async () => {
      const path = join(work, 'file.txt')
      await writeFile(path, 'from a file')
      const info = await store.putFile('put-file/a.txt', path)
      expect(info.size).toBe(11)
      expect(await store.head('put-file/a.txt')).toEqual(seen(info))
      expect(await textOf('put-file/a.txt')).toBe('from a file')
      await writeFile(path, 'again')
      await expect(store.putFile('put-file/a.txt', path, { ifNoneMatch: '*' })).rejects.toThrow(PreconditionFailed)
      expect(await textOf('put-file/a.txt')).toBe('from a file')
    })

    test('a large file arrives whole and comes back whole, with a condition and without', async () => {
      const bytes = Buffer.alloc(35 * 1024 * 1024 + 17)
      for (let i = 0; i < bytes.length; i += 4093) bytes.writeUInt32LE(i, Math.min(i, bytes.length - 4))
      const original = join(work, 'large.bin')
      const conditions: (PutCondition | undefined)[] = [undefined, { ifNoneMatch: '*' }]
      for (const [index, condition] of conditions.entries()) {
        await writeFile(original, bytes)
        const progress: number[] = []
        const key = `large/${index}.bin`
        const info = await store.putFile(key, original, condition, { onProgress: (sent) => progress.push(sent) })
        expect(info.size).toBe(bytes.length)
        expect(progress).toEqual(progress.toSorted((a, b) => a - b))
        const fetched = await store.fetch(key, info.version)
        expect((await readFile(fetched.path)).equals(bytes)).toBe(true)
        await fetched.verify()
        await fetched.release()
      }
      const there = await store.head('large/1.bin')
      await writeFile(original, bytes.subarray(1))
      await expect(store.putFile('large/1.bin', original, { ifNoneMatch: '*' })).rejects.toThrow(PreconditionFailed)
      await expect(store.putFile('large/1.bin', original, { ifMatch: 'other' })).rejects.toThrow(PreconditionFailed)
      expect(await store.head('large/1.bin')).toEqual(there)
      const next = await store.putFile('large/1.bin', original, { ifMatch: there?.etag })
      expect(next.size).toBe(bytes.length - 1)
    })

    test('a put that is stopped stores nothing', async () => {
      const stopped = AbortSignal.abort(new Error('Stopped by hand.'))
      for (const body of ['text', Readable.from([Buffer.from('stream')])])
        await expect(store.put('stopped', body, {}, { signal: stopped })).rejects.toThrow('Stopped by hand.')
      expect(await store.head('stopped')).toBeUndefined()
    })

    test('a conditional put of a stream is one of many writers like any other', async () => {
      const streams = TWENTY.map((i) => store.put('race/streams', Readable.from([`writer ${i}`]), { ifNoneMatch: '*' }))
      expect(await outcomes(streams)).toEqual({ won: 1, refused: 19 })
    })

    test('ifNoneMatch: of twenty writers one wins, and its bytes stay', async () => {
      const results = await Promise.allSettled(
        TWENTY.map((i) => store.put('race/first', `writer ${i}`, { ifNoneMatch: '*' })),
      )
      const winners = results.flatMap((result, i) => (result.status === 'fulfilled' ? [i] : []))
      expect(winners).toHaveLength(1)
      expect(await textOf('race/first')).toBe(`writer ${winners[0]}`)
      const lost = results.find((result) => result.status === 'rejected')
      expect(lost?.reason).toBeInstanceOf(PreconditionFailed)
      expect(lost?.reason.message).toMatch(/race\/first/)
    })

    test('ifNoneMatch works again after a delete', async () => {
      await store.put('again', '1', { ifNoneMatch: '*' })
      await store.delete('again')
      expect(await store.head('again')).toBeUndefined()
      await store.put('again', '2', { ifNoneMatch: '*' })
      expect(await textOf('again')).toBe('2')
    })

    test('ifMatch: of twenty writers one wins in each generation', async () => {
      let info = await store.put('race/generations', 'start')
      for (const generation of [1, 2, 3, 4, 5]) {
        const { etag } = info
        const writers = TWENTY.map((i) => store.put('race/generations', `${generation} ${i}`, { ifMatch: etag }))
        expect(await outcomes(writers)).toEqual({ won: 1, refused: 19 })
        const now = await store.head('race/generations')
        if (!now) throw new Error('gone')
        expect(now.etag).not.toBe(etag)
        info = now
      }
    })

    test('ifMatch does not hold for an object that was deleted, replaced, or never there', async () => {
      await expect(store.put('match/none', 'x', { ifMatch: 'anything' })).rejects.toThrow(PreconditionFailed)
      expect(await store.head('match/none')).toBeUndefined()
      const { etag } = await store.put('match/deleted', 'x')
      await store.delete('match/deleted')
      await expect(store.put('match/deleted', 'y', { ifMatch: etag })).rejects.toThrow(PreconditionFailed)
      expect(await store.head('match/deleted')).toBeUndefined()
      await store.put('match/deleted', 'z')
      await expect(store.put('match/deleted', 'y', { ifMatch: etag })).rejects.toThrow(PreconditionFailed)
    })

    test('a counter that eight tasks raise by compare-and-set loses nothing', async () => {
      await store.put('counter', '0')
      async function raise(times: number): Promise<void> {
        for (let done = 0; done < times; ) {
          const now = await store.get('counter')
          if (!now) throw new Error('The counter is gone.')
          try {
            await store.put('counter', String(Number(now.body) + 1), { ifMatch: now.info.etag })
            done++
          } catch (error) {
            if (!(error instanceof PreconditionFailed)) throw error
          }
        }
      }
      await Promise.all(Array.from({ length: 8 }, () => raise(10)))
      expect(await textOf('counter')).toBe('80')
    })

    test('unconditional puts and deletes among compare-and-sets never bring old bytes back', async () => {
      const { etag } = await store.put('mixed', 'old')
      const compare = TWENTY.map((i) => store.put('mixed', `new ${i}`, { ifMatch: etag }).catch(() => undefined))
      await Promise.all([...compare, store.put('mixed', 'plain'), store.delete('mixed'), store.put('mixed', 'plain')])
      expect(await textOf('mixed')).not.toBe('old')
    })

    test('keys are listed in the order of their UTF-8 bytes', async () => {
      const keys = ['o/a', 'o/a-b', 'o/a.b', 'o/a/x', 'o/a/y/z', 'o/a0', 'o/ab', 'o/é', 'o/B', 'o/\ufb01', 'o/📈']
      // A folder cannot hold both o/a and o/a/x; the order of their neighbours is what matters.
      const stored = keys.filter((key) => key !== 'o/a')
      for (const key of stored.toReversed()) await store.put(key, key)
      const expected = stored.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      expect(await keysOf(store, 'o/')).toEqual(expected)
      expect(await keysOf(store, 'o/a')).toEqual(expected.filter((key) => key.startsWith('o/a')))
      expect(await keysOf(store, 'o/a/')).toEqual(['o/a/x', 'o/a/y/z'])
      expect(await keysOf(store, 'o/a/y')).toEqual(['o/a/y/z'])
      expect(await keysOf(store, 'o/nothing')).toEqual([])
      for (const after of [...expected, 'o/', 'o/a', 'o/a/', 'o/a/x/more', 'o/zzz', 'p'])
        expect(await keysOf(store, 'o/', after)).toEqual(
          expected.filter((key) => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0),
        )
    })

    test('a prefix that leads out of the zone lists nothing', async () => {
      for (const prefix of ['../', '/', 'a//', './', '../ops/']) expect(await keysOf(store, prefix)).toEqual([])
    })

    test('objects that come and go while they are listed do no harm', async () => {
      for (const i of TWENTY) await store.put(`moving/${i % 5}/${i}`, 'x')
      let stop = false
      const churn = (async () => {
        for (let i = 0; !stop; i++) {
          await store.delete(`moving/${i % 5}/${i % 20}`)
          await store.put(`moving/${i % 5}/${i % 20}`, 'y')
        }
      })()
      try {
        for (let round = 0; round < 10; round++) {
          const keys = await keysOf(store, 'moving/')
          expect(keys.length).toBeGreaterThanOrEqual(15)
          expect(new Set(keys).size).toBe(keys.length)
        }
      } finally {
        stop = true
        await churn
      }
      expect(await keysOf(store, 'moving/')).toHaveLength(20)
    })

    test('odd keys come back as they were put', async () => {
      const odd = ODD_KEYS.map((key) => ({
        key: `odd/${key}`.slice(0, Buffer.byteLength(key) > 1000 ? 1024 : undefined),
        body: key.slice(0, 50),
      }))
      for (const { key, body } of odd) {
        const info = await store.put(key, body)
        expect(info.key).toBe(key)
        expect(await store.head(key)).toEqual(seen(info))
        expect(await textOf(key)).toBe(body)
      }
      const keys = odd.map(({ key }) => key)
      expect(await keysOf(store, 'odd/')).toEqual(
        keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      )
      for (const key of keys) expect(await keysOf(store, key)).toContain(key)
      for (const { key } of odd) await store.delete(key)
      expect(await keysOf(store, 'odd/')).toEqual([])
    })

    test.each(BAD_KEYS)('the key %j is refused', async (key, message) => {
      for (const action of [
        () => store.put(key, 'x'),
        () => store.head(key),
        () => store.get(key),
        () => store.delete(key),
        () => store.fetch(key, 'v'),
      ]) {
        const error = await action().then(
          () => undefined,
          (reason: unknown) => reason,
        )
        expect(error).toBeInstanceOf(InvalidKey)
        expect((error as Error).message).toMatch(message)
      }
    })

    test('fetch gives the bytes of a version, and ObjectGone for one that never was', async () => {
      const info = await store.put('fetch/a', 'bytes')
      const fetched = await store.fetch('fetch/a', info.version)
      expect(fetched.info).toEqual(seen(info))
      expect(await readFile(fetched.path, 'utf8')).toBe('bytes')
      await fetched.verify()
      await fetched.verify()
      await fetched.release()
      await fetched.release()
      await expect(store.fetch('fetch/a', 'no-such-version')).rejects.toThrow(ObjectGone)
      await expect(store.fetch('fetch/none', info.version)).rejects.toThrow(
        /Version .* of fetch\/none is no longer there/,
      )
    })

    test('release frees only the copy: object and version stay', async () => {
      const info = await store.put('fetch/kept', 'bytes')
      const first = await store.fetch('fetch/kept', info.version)
      await first.release()
      const second = await store.fetch('fetch/kept', info.version)
      await second.verify()
      await second.release()
      const third = await store.fetch('fetch/kept', info.version)
      expect(await readFile(third.path, 'utf8')).toBe('bytes')
      await third.verify()
      await third.release()
      expect(await store.head('fetch/kept')).toEqual(seen(info))
    })

    test('verify says when the object was replaced while it was read, or vouches for the bytes', async () => {
      const info = await store.put('fetch/replaced', 'one')
      const fetched = await store.fetch('fetch/replaced', info.version)
      await store.put('fetch/replaced', 'two')
      const read = await readFile(fetched.path, 'utf8')
      const verdict = await fetched.verify().then(
        () => 'sound',
        (error: unknown) => error,
      )
      await fetched.release()
      if (verdict === 'sound') expect(read).toBe('one')
      else expect(verdict).toBeInstanceOf(ObjectGone)
    })

    test('many objects: those at hand are not slower to find, and all are listed', async () => {
      await Promise.all(
        Array.from({ length: 500 }, (_, i) => store.put(`many/${i % 7}/${String(i).padStart(4, '0')}.json`, '{}')),
      )
      const keys = await keysOf(store, 'many/')
      expect(keys).toHaveLength(500)
      expect(keys).toEqual(keys.toSorted())
      expect(await keysOf(store, 'many/3/', 'many/3/0493.json')).toEqual([])
      expect(await keysOf(store, 'many/3/', 'many/3/0480.json')).toEqual(
        ['many/3/0486.json', 'many/3/0493.json'].filter((key) => keys.includes(key) && key > 'many/3/0480.json'),
      )
    })
  })

  describe(`object store: ${name}, versions`, () => {
    let lake: Lake
    beforeAll(async () => {
      lake = await open()
    })
    afterAll(() => lake.close())

    const fetchText = async (key: string, version: string) => {
      const fetched = await lake.zones.landing.fetch(key, version)
      const text = await readFile(fetched.path, 'utf8')
      await fetched.verify()
      expect(fetched.info).toMatchObject({ key, version, size: Buffer.byteLength(text) })
      expect((await stat(fetched.path)).size).toBe(fetched.info.size)
      await fetched.release()
      return text
    }

    test('landing keeps every version, however it was replaced or deleted', async () => {
      const { landing } = lake.zones
      const versions: string[] = []
      for (const text of ['one', 'two', 'three', 'one'])
        versions.push((await landing.put('orders/a.csv', text)).version)
      expect(new Set(versions).size).toBe(4)
      await landing.delete('orders/a.csv')
      expect(await landing.head('orders/a.csv')).toBeUndefined()
      versions.push((await landing.put('orders/a.csv', 'five')).version)
      const texts: string[] = []
      for (const version of versions) texts.push(await fetchText('orders/a.csv', version))
      expect(texts).toEqual(['one', 'two', 'three', 'one', 'five'])
      expect(await keysOf(landing, '')).toEqual(['orders/a.csv'])
    })

    test('head of a version says the same of it whether it is the newest, was replaced or was deleted', async () => {
      const { landing } = lake.zones
      const first = await landing.put('orders/b.csv', 'first')
      expect(await landing.head('orders/b.csv', first.version)).toEqual(first)
      const second = await landing.put('orders/b.csv', 'the second')
      expect(await landing.head('orders/b.csv', first.version)).toEqual(first)
      expect(await landing.head('orders/b.csv', second.version)).toEqual(second)
      await landing.delete('orders/b.csv')
      expect(await landing.head('orders/b.csv', second.version)).toEqual(second)
      expect(await landing.head('orders/b.csv')).toBeUndefined()
    })

    test('head of a version that is not kept is undefined, whatever its name', async () => {
      const { landing, ops } = lake.zones
      const { version } = await landing.put('orders/c.csv', 'x')
      expect(await landing.head('orders/none.csv', version)).toBeUndefined()
      for (const name of ['no-such-version', 'key.txt', '../../lake', '...', 'x'.repeat(300)])
        expect(await landing.head('orders/c.csv', name)).toBeUndefined()
      const first = await ops.put('v.json', '1')
      expect((await ops.head('v.json', first.version))?.size).toBe(1)
      await ops.put('v.json', '22')
      expect(await ops.head('v.json', first.version)).toBeUndefined()
    })

    test('every put of twenty at once has a version that stays', async () => {
      const { landing } = lake.zones
      const infos = await Promise.all(
        TWENTY.map((i) => landing.put('orders/busy.csv', `body ${String(i).padStart(2, '0')}`)),
      )
      expect(new Set(infos.map((info) => info.version)).size).toBe(20)
      const texts: string[] = []
      for (const info of infos) texts.push(await fetchText('orders/busy.csv', info.version))
      expect(texts).toEqual(TWENTY.map((i) => `body ${String(i).padStart(2, '0')}`))
    })

    test('the other zones keep only what is there', async () => {
      const { ops } = lake.zones
      const first = await ops.put('a.json', '1')
      await ops.put('a.json', '2')
      await expect(ops.fetch('a.json', first.version)).rejects.toThrow(ObjectGone)
    })
  })
}
