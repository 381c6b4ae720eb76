// Each outcome of an upload once, with what the uploader reads and what the lake then shows.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { ObjectGone, StorageError } from '../../lib/lake/errors.ts'
import { uploadId } from '../../lib/lake/keys.ts'
import { findReceipt, listReceipts, repairsOf } from '../../lib/lake/ledger.ts'
import { drop } from '../../lib/pipeline/drop.ts'
import { ingest } from '../../lib/pipeline/ingest.ts'
import { retract } from '../../lib/pipeline/retract.ts'
import { type Bench, collect, openBench, tempFolder } from './helpers.ts'
import { surround } from './ports.ts'
import { standInPlan } from './standin.ts'

let bench: Bench
afterEach(async () => {
  await bench?.close()
})

describe('ingest', () => {
  it('publishes good rows, sets the others aside, and tells the uploader once', async () => {
    bench = await openBench()
    const info = await bench.land('files/monday.txt', 'one\nbad two\nthree\n')
    const receipt = await ingest(bench.context, 'files/monday.txt')
    expect(receipt).toMatchObject({
      upload: uploadId('files/monday.txt', info),
      outcome: 'accepted_with_rejects',
      rows: { read: 3, accepted: 2, rejected: 1 },
      reason: { code: 'rows_rejected', message: expect.stringContaining('1 of 3 rows break a rule') },
      size: 18,
    })
    expect(await bench.rows()).toEqual(['one', 'three'])
    const csv = await bench.lake.zones.ops.get(receipt?.rejects?.csv ?? '')
    expect(csv?.body.toString()).toBe(`${receipt?.upload},2,bad two\n`)
    expect(receipt?.clean?.location).toMatch(
      /^files\/ingest_date=\d{4}-\d\d-\d\d\/source=monday\.txt-[0-9a-f]{12}\/upload=\d{8}T\d{9}Z-[0-9a-f]{12}\/[0-9a-f]{8}\/$/,
    )
    expect(await bench.lake.catalog.getTable('clean.files')).toMatchObject({
      columns: [{ name: 'text', type: 'VARCHAR', comment: 'The line.' }, { name: '_upload' }],
      partitionKeys: [{ name: 'ingest_date' }, { name: 'source' }],
    })

    expect(await ingest(bench.context, 'files/monday.txt')).toBeUndefined()
    expect(bench.notified.map(({ upload }) => upload)).toEqual([receipt?.upload])
    expect(await findReceipt(bench.lake, receipt?.upload ?? '')).toEqual(receipt)
  })

  it('replaces a version by the next one in the same partition', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'old\n')
    await ingest(bench.context, 'files/a.txt')
    await bench.land('files/a.txt', 'new\nnewer\n')
    expect(await ingest(bench.context, 'files/a.txt')).toMatchObject({ outcome: 'accepted' })
    expect(await bench.rows()).toEqual(['new', 'newer'])
    expect(await collect(bench.lake.catalog.listPartitions('clean.files'))).toHaveLength(1)
  })

  it('adds a version to the others with redrop: append, each in a partition of its own', async () => {
    bench = await openBench({ redrop: 'append' })
    for (const text of ['one\n', 'two\n', 'three\n']) {
      await bench.land('files/log.txt', text)
      await ingest(bench.context, 'files/log.txt')
    }
    expect(await bench.rows()).toEqual(['one', 'three', 'two'])
    const partitions = await collect(bench.lake.catalog.listPartitions('clean.files'))
    expect(partitions.map(({ values }) => values[1]?.replace(/^.*-[0-9a-f]{12}/, ''))).toEqual(['', '.2', '.3'])
    await retract(bench.context, 'files/log.txt')
    expect(await bench.rows()).toEqual([])
  })

  it('refuses another version with redrop: refuse, and keeps the first', async () => {
    bench = await openBench({ redrop: 'refuse' })
    await bench.land('files/a.txt', 'first\n')
    const first = await ingest(bench.context, 'files/a.txt')
    await bench.land('files/a.txt', 'second\n')
    const second = await ingest(bench.context, 'files/a.txt')
    expect(second).toMatchObject({ outcome: 'refused', reason: { code: 'redrop_refused' } })
    expect(second?.reason?.message).toContain(`already in the lake (upload ${first?.upload})`)
    expect(await bench.rows()).toEqual(['first'])
  })

  it('refuses a file whose rows do not do, and keeps what its source gave before', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'good\n')
    await ingest(bench.context, 'files/a.txt')
    await bench.land('files/a.txt', 'refuse me\n')
    const receipt = await ingest(bench.context, 'files/a.txt')
    expect(receipt).toMatchObject({
      outcome: 'refused',
      reason: { code: 'stand_in', message: 'The file says so.' },
      rows: { read: 1, accepted: 0, rejected: 1 },
    })
    expect(await bench.rows()).toEqual(['good'])
    expect(await ingest(bench.context, 'files/a.txt')).toBeUndefined()
  })

  it('refuses a name that does not fit match, without reading it', async () => {
    bench = await openBench({ match: 'orders_*.txt' })
    await bench.land('files/2026/orders_1.txt', 'fits in any folder\n')
    expect(await ingest(bench.context, 'files/2026/orders_1.txt')).toMatchObject({ outcome: 'accepted' })
    await bench.land('files/notes.txt', 'one\n')
    const receipt = await ingest(bench.context, 'files/notes.txt')
    expect(receipt).toMatchObject({ outcome: 'refused', reason: { code: 'no_match' } })
    expect(receipt?.reason?.message).toBe(
      'The name notes.txt does not fit orders_*.txt, which the contract of files asks for.',
    )
    expect(receipt?.sha256).toBeUndefined()
  })

  it('leaves a file of an unknown dataset where it is, and says which datasets there are', async () => {
    bench = await openBench({}, [standInPlan('orders')])
    await bench.land('oders/a.txt', 'one\n')
    await expect(ingest(bench.context, 'oders/a.txt')).rejects.toThrow(
      'There is no contract for the dataset "oders" (of landing/oders/a.txt). Known datasets: files, orders.',
    )
    await bench.land('loose.txt', 'one\n')
    await expect(ingest(bench.context, 'loose.txt')).rejects.toThrow("lies in no dataset's folder")
    expect(await collect(listReceipts(bench.lake))).toEqual([])
  })

  it('accepts a file without rows, and has no partition for it', async () => {
    bench = await openBench()
    await bench.land('files/empty.txt', '')
    expect(await ingest(bench.context, 'files/empty.txt')).toMatchObject({ outcome: 'accepted', rows: { read: 0 } })
    expect(await collect(bench.lake.catalog.listPartitions('clean.files'))).toEqual([])
  })

  it('makes a missing partition follow the head when an event comes again', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'one\n')
    await ingest(bench.context, 'files/a.txt')
    for (const { values } of await collect(bench.lake.catalog.listPartitions('clean.files')))
      await bench.lake.catalog.deletePartition('clean.files', values)
    expect(await bench.rows()).toEqual([])
    expect(await ingest(bench.context, 'files/a.txt')).toBeUndefined()
    expect(await bench.rows()).toEqual(['one'])
  })

  it('does the same with few port calls, however large the lake is', async () => {
    bench = await openBench()
    const calls: string[] = []
    const lake = surround(bench.lake, (call, _, run) => {
      calls.push(call)
      return run()
    })
    const context = { ...bench.context, lake }
    await bench.land('files/warm.txt', 'w\n')
    await ingest(context, 'files/warm.txt')
    calls.length = 0
    await bench.land('files/a.txt', 'one\n')
    await ingest(context, 'files/a.txt')
    expect(calls).toEqual([
      'landing.head',
      'ops.get', // head
      'landing.fetch',
      'landing.verify', // for the hash
      'ops.get', // register of contents
      'landing.fetch',
      'landing.verify', // for the engine
      'ops.get', // register of contents
      'ops.put', // claim
      'clean.put',
      'landing.head', // look again
      'ops.put', // head
      'catalog.putPartition',
      'ops.get', // has the head moved?
      'ops.put', // receipt
      'notify',
    ])
  })
})

describe('duplicates', () => {
  it('takes the same bytes once, and names where they are', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'one\n')
    const first = await ingest(bench.context, 'files/a.txt')
    await bench.land('files/b.txt', 'one\n')
    const second = await ingest(bench.context, 'files/b.txt')
    expect(second).toMatchObject({
      outcome: 'duplicate',
      duplicateOf: { source: 'files/a.txt', upload: first?.upload },
      rows: { read: 0, accepted: 0, rejected: 0 },
    })
    expect(second?.reason?.message).toContain('These very bytes are already in the lake from files/a.txt')
    await bench.land('files/a.txt', 'one\n')
    const again = await ingest(bench.context, 'files/a.txt')
    expect(again).toMatchObject({ outcome: 'duplicate', duplicateOf: { source: 'files/a.txt', upload: first?.upload } })
    expect(await bench.rows()).toEqual(['one'])
  })

  it('takes away what a source gave before, when its newest bytes come from another one', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'shared\n')
    await ingest(bench.context, 'files/a.txt')
    await bench.land('files/b.txt', 'own\n')
    await ingest(bench.context, 'files/b.txt')
    await bench.land('files/b.txt', 'shared\n')
    await ingest(bench.context, 'files/b.txt')
    expect(await bench.rows()).toEqual(['shared'])
  })

  it.each(['replaced', 'retracted', 'deleted'])('puts who waits in the place of a holder that is %s', async (how) => {
    bench = await openBench({ onDelete: 'retract' })
    await bench.land('files/a.txt', 'one\n')
    await ingest(bench.context, 'files/a.txt')
    await bench.land('files/b.txt', 'one\n')
    const waiter = await ingest(bench.context, 'files/b.txt')
    if (how === 'replaced') await bench.land('files/a.txt', 'two\n')
    if (how === 'deleted') await bench.lake.zones.landing.delete('files/a.txt')
    if (how === 'retracted') await retract(bench.context, 'files/a.txt')
    else await ingest(bench.context, 'files/a.txt')
    expect(await bench.rows()).toEqual(how === 'replaced' ? ['one', 'two'] : ['one'])
    expect(await findReceipt(bench.lake, waiter?.upload ?? '')).toEqual(waiter)
    expect(bench.notified.filter(({ upload }) => upload === waiter?.upload)).toHaveLength(1)
    expect(bench.events).toContainEqual(expect.objectContaining({ event: 'duplicate_promoted', source: 'files/b.txt' }))
  })

  it('finds a duplicate of a file too large to be hashed first, by its size', async () => {
    bench = await openBench()
    const large = `${'x'.repeat(17 * 1024 * 1024)}\n`
    let checked = 0
    const context: typeof bench.context = {
      ...bench.context,
      check: (request) => {
        checked++
        return bench.context.check(request)
      },
    }
    await bench.land('files/a.txt', large)
    expect(await ingest(context, 'files/a.txt')).toMatchObject({ outcome: 'accepted' })
    await bench.land('files/b.txt', large)
    expect(await ingest(context, 'files/b.txt')).toMatchObject({ outcome: 'duplicate' })
    expect(checked).toBe(1)
  })
})

describe('superseded', () => {
  it('says so when a newer version came while the file was read', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'old\n')
    const check: typeof bench.context.check = async (request) => {
      const result = await bench.context.check(request)
      await bench.land('files/a.txt', 'new\n')
      return result
    }
    const receipt = await ingest({ ...bench.context, check }, 'files/a.txt')
    expect(receipt).toMatchObject({ outcome: 'superseded', reason: { code: 'newer_version' }, rows: { read: 0 } })
    expect(await bench.rows()).toEqual([])
    expect(await ingest(bench.context, 'files/a.txt')).toMatchObject({ outcome: 'accepted' })
    expect(await bench.rows()).toEqual(['new'])
  })

  it('says so when the file was deleted while it was read', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'old\n')
    const check: typeof bench.context.check = async (request) => {
      const result = await bench.context.check(request)
      await bench.lake.zones.landing.delete('files/a.txt')
      return result
    }
    const receipt = await ingest({ ...bench.context, check }, 'files/a.txt')
    expect(receipt).toMatchObject({ outcome: 'superseded', reason: { code: 'gone' } })
  })
})

describe('retract', () => {
  it('takes a source out, and the same version does not come back, but a new one does', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'one\n')
    await ingest(bench.context, 'files/a.txt')
    const receipt = await retract(bench.context, 'files/a.txt')
    expect(receipt).toMatchObject({ outcome: 'retracted', source: 'files/a.txt', reason: { code: 'retracted' } })
    expect(await bench.rows()).toEqual([])
    expect(await retract(bench.context, 'files/a.txt')).toBeUndefined()
    expect(await ingest(bench.context, 'files/a.txt')).toBeUndefined()
    expect(await bench.rows()).toEqual([])
    await bench.land('files/a.txt', 'one\n')
    expect(await ingest(bench.context, 'files/a.txt')).toMatchObject({ outcome: 'accepted' })
    expect(await bench.rows()).toEqual(['one'])
    expect(await collect(listReceipts(bench.lake))).toHaveLength(3)
  })

  it('follows a deletion with onDelete: retract, and not with keep', async () => {
    bench = await openBench({ onDelete: 'retract' })
    await bench.land('files/a.txt', 'one\n')
    await ingest(bench.context, 'files/a.txt')
    await bench.lake.zones.landing.delete('files/a.txt')
    expect(await ingest(bench.context, 'files/a.txt')).toMatchObject({
      outcome: 'retracted',
      reason: { code: 'deleted' },
    })
    expect(await ingest(bench.context, 'files/a.txt')).toBeUndefined()
    expect(await bench.rows()).toEqual([])
    await bench.close()

    bench = await openBench({ onDelete: 'keep' })
    await bench.land('files/a.txt', 'one\n')
    await ingest(bench.context, 'files/a.txt')
    await bench.lake.zones.landing.delete('files/a.txt')
    expect(await ingest(bench.context, 'files/a.txt')).toBeUndefined()
    expect(await bench.rows()).toEqual(['one'])
  })

  it('does not know every name, and says what is near', async () => {
    bench = await openBench()
    await bench.land('files/monday.txt', 'one\n')
    await ingest(bench.context, 'files/monday.txt')
    await expect(retract(bench.context, 'files/mondey.txt')).rejects.toThrow(
      'The lake has never taken in landing/files/mondey.txt. Did you mean files/monday.txt?',
    )
    await expect(retract(bench.context, 'files/something-else-entirely.txt')).rejects.toThrow('See "weir receipts"')
  })
})

describe('drop', () => {
  it('gives the receipt of what was dropped, also when another worker wrote it', async () => {
    bench = await openBench()
    const folder = await tempFolder()
    const path = join(folder, 'a b+%.txt')
    await writeFile(path, 'one\n')
    const [receipt] = await Promise.all([
      drop(bench.context, { dataset: 'files', path }),
      ...Array.from({ length: 5 }, () => ingest(bench.context, 'files/a b+%.txt')),
    ])
    expect(receipt).toMatchObject({ outcome: 'accepted', source: 'files/a b+%.txt' })
    expect(bench.notified).toHaveLength(1)
    expect(await drop(bench.context, { dataset: 'files', path, name: '2026/other.txt' })).toMatchObject({
      outcome: 'duplicate',
      source: 'files/2026/other.txt',
    })
  })

  it('gives each of many drops of one name its own receipt, and the table shows the last', async () => {
    bench = await openBench()
    const folder = await tempFolder()
    const receipts = await Promise.all(
      Array.from({ length: 6 }, async (_, index) => {
        const path = join(folder, `${index}.txt`)
        await writeFile(path, `row ${index}\n`)
        return drop(bench.context, { dataset: 'files', path, name: 'same.txt' })
      }),
    )
    expect(new Set(receipts.map(({ upload }) => upload)).size).toBe(6)
    const info = await bench.lake.zones.landing.head('files/same.txt')
    const last = receipts.find(({ version }) => version === info?.version)
    expect(last?.outcome).toBe('accepted')
    expect(await bench.rows()).toHaveLength(1)
  })

  it('refuses what is no file, and what has no contract', async () => {
    bench = await openBench()
    const folder = await tempFolder()
    await expect(drop(bench.context, { dataset: 'files', path: folder })).rejects.toThrow('is a folder. Drop its files')
    await expect(drop(bench.context, { dataset: 'files', path: join(folder, 'no') })).rejects.toThrow(
      'There is no file',
    )
    await expect(drop(bench.context, { dataset: 'fils', path: folder })).rejects.toThrow('Known datasets: files.')
    await writeFile(join(folder, 'x'), 'one\n')
    await expect(drop(bench.context, { dataset: 'files', path: join(folder, 'x'), name: '../x' })).rejects.toThrow('..')
  })
})

describe('repairs', () => {
  it('count once their file is published, each row once, and no longer when it leaves', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'one\nbad two\nbad three\n')
    const broken = await ingest(bench.context, 'files/a.txt')
    const upload = broken?.upload ?? ''
    await bench.land('files/fix.txt', `repair ${upload} 2 two\n`)
    const fix = await ingest(bench.context, 'files/fix.txt')
    expect(fix?.repairs).toEqual([{ upload, rows: 1 }])
    await bench.land('files/fix2.txt', `repair ${upload} 2 two\nrepair ${upload} 3 three\n`)
    await ingest(bench.context, 'files/fix2.txt')
    expect((await repairsOf(bench.lake, { upload })).rows).toEqual([2, 3])
    expect((await repairsOf(bench.lake, { upload })).uploads).toHaveLength(2)
    await retract(bench.context, 'files/fix2.txt')
    expect(await repairsOf(bench.lake, { upload })).toEqual({ rows: [2], uploads: [fix?.upload] })
  })

  it('of an upload that nobody knows are a warning', async () => {
    bench = await openBench()
    await bench.land('files/fix.txt', 'repair 20260101T000000Z-0123456789ab 2 two\nrepair ../../x 3 three\n')
    const receipt = await ingest(bench.context, 'files/fix.txt')
    expect(receipt?.repairs).toEqual([])
    expect(receipt?.warnings).toEqual([
      'Column _upload names 2 uploads that files does not have (20260101T000000Z-0123456789ab …): their rows are taken as new ones, not as repairs.',
    ])
  })
})

describe('faults of ours', () => {
  it('are no outcome: they say how to go on, leave nothing behind, and the next event brings the receipt', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'one\n')
    const full = surround(bench.lake, (call, key, run) => {
      if (call === 'clean.put') throw new StorageError(`Could not write clean/${key}: the disk is full.`)
      return run()
    })
    const failing = ingest({ ...bench.context, lake: full }, 'files/a.txt')
    await expect(failing).rejects.toThrow(/Could not finish files\/a\.txt: Could not write .*disk is full/)
    await expect(failing).rejects.toMatchObject({ name: 'PipelineFault', cause: { name: 'StorageError' } })
    await expect(failing).rejects.toThrow('run "weir reconcile" (or the same command again): it goes on from here.')
    const crash = { ...bench.context, check: () => Promise.reject(new Error('out of memory')) }
    await expect(ingest(crash, 'files/a.txt')).rejects.toThrow('out of memory')
    expect(await collect(listReceipts(bench.lake))).toEqual([])
    expect(await bench.rows()).toEqual([])
    expect(await ingest(bench.context, 'files/a.txt')).toMatchObject({ outcome: 'accepted' })
  })

  it('are figures that do not add up, too', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'one\n')
    const check: typeof bench.context.check = async (request) => {
      const result = await bench.context.check(request)
      return { ...result, rows: { ...result.rows, read: 7 } }
    }
    await expect(ingest({ ...bench.context, check }, 'files/a.txt')).rejects.toThrow('figures do not add up (7 read')
  })

  it('a version that stays unreadable is a fault, not an outcome', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'one\n')
    const lake = surround(bench.lake, (call, key, run) => {
      if (call === 'landing.fetch') throw new ObjectGone(key, 'v')
      return run()
    })
    await expect(ingest({ ...bench.context, lake }, 'files/a.txt')).rejects.toThrow('Could not finish files/a.txt')
  })

  it('stop when asked, and go on later', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'one\n')
    const stop = new AbortController()
    stop.abort()
    await expect(ingest(bench.context, 'files/a.txt', { signal: stop.signal })).rejects.toMatchObject({
      name: 'AbortError',
    })
    expect(await ingest(bench.context, 'files/a.txt')).toMatchObject({ outcome: 'accepted' })
  })

  it('a notification that fails takes nothing back', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'one\n')
    const lake = surround(bench.lake, (call, _, run) => {
      if (call === 'notify') throw new Error('no network')
      return run()
    })
    expect(await ingest({ ...bench.context, lake }, 'files/a.txt')).toMatchObject({ outcome: 'accepted' })
    expect(bench.events).toContainEqual(expect.objectContaining({ event: 'notification_failed', error: 'no network' }))
  })
})
