// Reconcile: each thing that can be missing is mended, named once, and not named again. And watching a stream of changes.

import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { headKey, receiptKey } from '../../lib/lake/keys.ts'
import { findReceipt } from '../../lib/lake/ledger.ts'
import type { Lake } from '../../lib/lake/ports.ts'
import { drop } from '../../lib/pipeline/drop.ts'
import { ingest } from '../../lib/pipeline/ingest.ts'
import { reconcile } from '../../lib/pipeline/reconcile.ts'
import { retract } from '../../lib/pipeline/retract.ts'
import { watchLanding } from '../../lib/pipeline/watch.ts'
import { type Bench, collect, openBench, tempFolder } from './helpers.ts'
import { surround } from './ports.ts'
import { standInPlan } from './standin.ts'

let bench: Bench
afterEach(async () => {
  await bench.close()
})

/** A lake whose worker is killed at the first call of that kind. */
function killedAt(lake: Lake, name: string, prefix = ''): Lake {
  let dead = false
  return surround(lake, (call, key, run) => {
    if (call === name && key.startsWith(prefix)) dead = true
    if (dead) throw new Error('killed')
    return run()
  })
}

async function expectNothingLeft(): Promise<void> {
  expect(await reconcile(bench.context)).toMatchObject({ mended: [], faults: [] })
}

describe('reconcile', () => {
  it('describes tables and ingests what no event told of', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'one\n')
    await bench.land('files/b.txt', 'two\nbad\n')
    const seen: string[] = []
    const report = await reconcile(bench.context, {
      concurrency: 1,
      onProgress: ({ phase, checked }) => seen.push(`${phase} ${checked}`),
    })
    expect(report).toEqual({
      mended: [
        { what: 'table', detail: 'clean.files described as its contract says' },
        { what: 'ingested', detail: 'files/a.txt: accepted' },
        { what: 'ingested', detail: 'files/b.txt: accepted_with_rejects' },
      ],
      faults: [],
      checked: { tables: 1, files: 2, heads: 2, partitions: 2 },
    })
    expect(seen).toEqual(['landing 1', 'landing 2', 'heads 1', 'heads 2', 'catalog 1', 'catalog 2'])
    expect(await bench.rows()).toEqual(['one', 'two'])
    await expectNothingLeft()
  })

  it('writes the receipt of a worker that died after the head, with its true figures, also when the next version has come', async () => {
    bench = await openBench()
    const info = await bench.land('files/a.txt', 'one\nbad\n')
    const lake = killedAt(bench.lake, 'catalog.putPartition')
    await expect(ingest({ ...bench.context, lake }, 'files/a.txt')).rejects.toThrow('killed')
    expect(bench.notified).toEqual([])
    await bench.land('files/a.txt', 'two\n')
    const { mended } = await reconcile(bench.context)
    expect(mended).toContainEqual({ what: 'ingested', detail: 'files/a.txt: accepted' })
    expect(bench.notified.map(({ outcome, rows }) => [outcome, rows.rejected])).toEqual([
      ['accepted_with_rejects', 1],
      ['accepted', 0],
    ])
    expect(bench.notified[0]?.version).toBe(info.version)
    expect(await bench.rows()).toEqual(['two'])
    await expectNothingLeft()
  })

  it('writes a missing receipt and mends partitions that were lost, wrong, or nobody’s', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'one\n')
    const receipt = await ingest(bench.context, 'files/a.txt')
    const [partition] = await collect(bench.lake.catalog.listPartitions('clean.files'))
    if (!receipt || !partition) throw new Error('nothing was published')
    await bench.lake.zones.ops.delete(receiptKey('files', receipt.upload))
    await bench.lake.catalog.putPartition('clean.files', { ...partition, location: 'files/elsewhere/' })
    await bench.lake.catalog.putPartition('clean.files', { values: ['2026-01-01', 'ghost-0123'], location: 'files/x/' })
    await bench.lake.catalog.putPartition('clean.files', {
      values: [partition.values[0] ?? '', `${partition.values[1]}.2`],
      location: 'files/y/',
    })
    const { mended } = await reconcile(bench.context)
    expect(mended.map(({ what }) => what).sort()).toEqual(['ingested', 'partition', 'partition'])
    expect(await collect(bench.lake.catalog.listPartitions('clean.files'))).toEqual([partition])
    expect(await findReceipt(bench.lake, receipt.upload)).toEqual(receipt)
    await expectNothingLeft()
  })

  it('never mixes the work of two contracts when one changes between a crash and the next try', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'one\ntwo\nbad three\n')
    const lake = killedAt(bench.lake, 'ops.put', 'heads/')
    await expect(ingest({ ...bench.context, lake }, 'files/a.txt')).rejects.toThrow('killed')
    // Under the new contract "two" is rejected as well.
    const check: typeof bench.context.check = async (request) => {
      await writeFile(`${request.path}.new`, 'one\nbad two\nbad three\n')
      const result = await bench.context.check({ ...request, path: `${request.path}.new` })
      const original = join(request.outDir, 'original')
      await mkdir(original)
      const { sha256, size } = await bench.context.check({ ...request, outDir: original })
      return { ...result, sha256, size }
    }
    const plans = new Map([['files', standInPlan('files', {}, 'hash-2')]])
    const receipt = await ingest({ ...bench.context, check, plans }, 'files/a.txt')
    expect(receipt).toMatchObject({ rows: { read: 3, accepted: 1, rejected: 2 }, contract: { hash: 'hash-2' } })
    expect(await bench.rows()).toEqual(['one'])
    const csv = await bench.lake.zones.ops.get(receipt?.rejects?.csv ?? '')
    expect(csv?.body.toString().trimEnd().split('\n')).toHaveLength(2)
    const parquet = await bench.lake.zones.ops.get(receipt?.rejects?.parquet ?? '')
    expect(JSON.parse(parquet?.body.toString() ?? '')).toHaveLength(2)
  })

  it('retracts what was deleted unseen', async () => {
    bench = await openBench({ onDelete: 'retract' })
    await bench.land('files/a.txt', 'one\n')
    await ingest(bench.context, 'files/a.txt')
    await bench.lake.zones.landing.delete('files/a.txt')
    expect((await reconcile(bench.context)).mended).toEqual([{ what: 'ingested', detail: 'files/a.txt: retracted' }])
    expect(await bench.rows()).toEqual([])
    await expectNothingLeft()
  })

  it('is not needed for what a dead worker left undone before the next version is appended', async () => {
    bench = await openBench({ redrop: 'append' })
    await bench.land('files/a.txt', 'one\n')
    const lake = killedAt(bench.lake, 'catalog.putPartition')
    await expect(ingest({ ...bench.context, lake }, 'files/a.txt')).rejects.toThrow('killed')
    await bench.land('files/a.txt', 'two\n')
    await ingest(bench.context, 'files/a.txt')
    expect(await bench.rows()).toEqual(['one', 'two'])
    // The same for rows that were to go: the second partition must not outlive the retraction.
    const dying = killedAt(bench.lake, 'catalog.deletePartition')
    await expect(retract({ ...bench.context, lake: dying }, 'files/a.txt')).rejects.toThrow('killed')
    await bench.land('files/a.txt', 'three\n')
    await ingest(bench.context, 'files/a.txt')
    expect(await bench.rows()).toEqual(['three'])
    await expectNothingLeft()
  })

  it('fills a catalog that was lost, which nobody may ask until then', async () => {
    bench = await openBench()
    for (const name of ['a', 'b', 'c']) {
      await bench.land(`files/${name}.txt`, `${name}\n`)
      await ingest(bench.context, `files/${name}.txt`)
    }
    const ask = () => bench.lake.queries.query('SELECT count(*) FROM clean.files')
    for (const suffix of ['', '-wal', '-shm'])
      await rm(join(bench.lake.locate('ops', 'x'), `../../.weir/catalog.sqlite${suffix}`), { force: true })
    await expect(ask()).rejects.toThrow('Run "weir reconcile" to fill it again')
    // A file that comes meanwhile does not make the catalog whole.
    await bench.land('files/d.txt', 'd\n')
    await ingest(bench.context, 'files/d.txt')
    await expect(ask()).rejects.toThrow('rows may be missing')
    const broken = headKey('files', 'files/broken.txt')
    await bench.lake.zones.ops.put(broken, '{}')
    expect((await reconcile(bench.context)).faults.map(({ detail }) => detail)).toContain(
      'still incomplete: 1 head could not be followed (see the other faults). Queries wait for them.',
    )
    await expect(ask()).rejects.toThrow('rows may be missing')
    await bench.lake.zones.ops.delete(broken)
    expect((await reconcile(bench.context)).mended).toEqual([
      { what: 'catalog', detail: 'filled again from the heads; queries answer from it' },
    ])
    expect((await bench.lake.catalog.state()).complete).toBe(true)
    expect(await bench.rows()).toEqual(['a', 'b', 'c', 'd'])
    await expectNothingLeft()
  })

  it('goes on past what it cannot mend, and says so', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'one\n')
    await bench.land('files/b.txt', 'two\n')
    await bench.land('strangers/c.txt', 'three\n')
    await bench.land('strangers/d.txt', 'three\n')
    await bench.lake.zones.ops.put(headKey('files', 'files/a.txt'), '{"format":"weir.head/1"}')
    const { faults } = await reconcile(bench.context)
    expect(faults).toContainEqual({
      what: 'unknown dataset',
      detail: '2 files in landing/strangers/ have no contract. Known datasets: files.',
    })
    expect(faults.find(({ what }) => what === 'files/a.txt')?.detail).toMatch(
      /The head heads\/files\/.* cannot be read/,
    )
    expect(await bench.rows()).toEqual(['two'])
  })
})

describe('files that are no data', () => {
  const strays = [
    '.DS_Store',
    'Thumbs.db',
    'desktop.ini',
    '.a.csv.Xy12Zz',
    '~$book.csv',
    'a.swp',
    'a.csv.tmp',
    'a.PART',
    'a.crdownload',
    'a.txt~',
  ]

  it('are passed over by reconcile and watch, and told; their neighbours are taken in', async () => {
    bench = await openBench()
    for (const name of [...strays, 'part.txt', 'a~b.txt', '~a.txt', '.hidden/b.txt'])
      await bench.land(`files/${name}`, `${name}\n`)
    await bench.land('.DS_Store', 'x')
    expect((await reconcile(bench.context)).faults).toEqual([])
    const taken = ['.hidden/b.txt', 'a~b.txt', 'part.txt', '~a.txt']
    expect(await bench.rows()).toEqual(taken)
    const told = () => bench.events.filter(({ event }) => event === 'file_ignored').map(({ source }) => source)
    expect(told().sort()).toEqual(['.DS_Store', ...strays.map((name) => `files/${name}`)].sort())
    async function* events() {
      await bench.land('files/later.tmp', 'later\n')
      yield 'files/later.tmp'
    }
    const faults: string[] = []
    await watchLanding(bench.context, events(), { onFault: (key) => faults.push(key) })
    expect(told()).toContain('files/later.tmp')
    expect(faults).toEqual([])
    expect(await bench.rows()).toEqual(taken)
    expect(bench.notified).toHaveLength(taken.length)
  })

  it('are taken in where match names them, or somebody drops them, and then followed like any other', async () => {
    bench = await openBench({ match: '*.part', onDelete: 'retract' })
    await bench.land('files/a.part', 'a\n')
    await bench.land('files/.b.part', 'b\n')
    await bench.land('files/c.tmp', 'c\n')
    await reconcile(bench.context)
    // As everywhere, "*" does not stand for the dot of a hidden file.
    expect(await bench.rows()).toEqual(['a'])
    await bench.close()

    bench = await openBench({ onDelete: 'retract' })
    const folder = await tempFolder()
    await writeFile(join(folder, '.secret'), 'mine\n')
    const dropped = await drop(bench.context, { dataset: 'files', path: join(folder, '.secret') })
    expect(dropped.outcome).toBe('accepted')
    await bench.lake.zones.landing.delete('files/.secret')
    async function* events() {
      yield 'files/.secret'
    }
    await watchLanding(bench.context, events())
    expect(await bench.rows()).toEqual([])
    await rm(folder, { recursive: true, force: true })
  })
})

describe('watch', () => {
  it('sweeps first, then follows events, one at a time for each key', async () => {
    bench = await openBench()
    await bench.land('files/early.txt', 'early\n')
    let working = 0
    let most = 0
    const check: typeof bench.context.check = async (request) => {
      if (request.fileName === 'a.txt') most = Math.max(most, ++working)
      const result = await bench.context.check(request)
      if (request.fileName === 'a.txt') working--
      return result
    }
    async function* events() {
      for (let version = 1; version <= 5; version++) {
        await bench.land('files/a.txt', `version ${version}\n`)
        yield 'files/a.txt'
        yield 'files/a.txt'
        await bench.land(`files/other${version}.txt`, `other ${version}\n`)
        yield `files/other${version}.txt`
      }
      await bench.land('strangers/x.txt', 'x\n')
      yield 'strangers/x.txt'
    }
    const receipts: string[] = []
    const faults: string[] = []
    await watchLanding({ ...bench.context, check }, events(), {
      concurrency: 4,
      onReceipt: ({ source }) => receipts.push(source),
      onFault: (key, error) => faults.push(`${key}: ${(error as Error).name}`),
    })
    expect(await bench.rows(), JSON.stringify(bench.events)).toEqual([
      'early',
      'other 1',
      'other 2',
      'other 3',
      'other 4',
      'other 5',
      'version 5',
    ])
    expect(most).toBe(1)
    expect(faults).toEqual(['strangers/x.txt: UnknownDataset'])
    expect(bench.notified.filter(({ outcome }) => outcome === 'accepted').length).toBeGreaterThanOrEqual(7)
  })

  it('fills a catalog again that is lost under it', async () => {
    bench = await openBench()
    await bench.land('files/early.txt', 'early\n')
    async function* events() {
      yield 'files/early.txt'
      while (!bench.events.some(({ event }) => event === 'receipt')) await new Promise(setImmediate)
      for (const suffix of ['', '-wal', '-shm'])
        await rm(join(bench.lake.locate('ops', 'x'), `../../.weir/catalog.sqlite${suffix}`), { force: true })
      await bench.land('files/late.txt', 'late\n')
      yield 'files/late.txt'
    }
    await watchLanding(bench.context, events())
    expect(bench.events.map(({ event }) => event)).toContain('catalog_started_anew')
    expect((await bench.lake.catalog.state()).complete).toBe(true)
    expect(await bench.rows()).toEqual(['early', 'late'])
  })

  it('tries again after a fault of ours, and gives up with a word', async () => {
    bench = await openBench()
    await bench.land('files/a.txt', 'one\n')
    await bench.land('files/b.txt', 'two\n')
    const tries: Record<string, number> = {}
    const check: typeof bench.context.check = (request) => {
      const { fileName } = request
      tries[fileName] = (tries[fileName] ?? 0) + 1
      if (fileName === 'b.txt' || tries[fileName] < 3) throw new Error('the engine crashed')
      return bench.context.check(request)
    }
    async function* events() {
      yield 'files/a.txt'
      yield 'files/b.txt'
    }
    const faults: string[] = []
    // b.txt is there from the start: the sweep meets the fault first, and the retries are for it, too.
    await watchLanding({ ...bench.context, check }, events(), {
      retries: 2,
      retryDelayMs: 1,
      onFault: (key) => faults.push(key),
    })
    expect(await bench.rows()).toEqual(['one'])
    expect(faults).toEqual(['files/b.txt'])
    expect(bench.events).toContainEqual(expect.objectContaining({ event: 'gave_up', source: 'files/b.txt' }))
  })

  it('ends when asked, after what had begun', async () => {
    bench = await openBench()
    const stop = new AbortController()
    const never = Promise.withResolvers<void>()
    async function* events() {
      await bench.land('files/a.txt', 'one\n')
      yield 'files/a.txt'
      await never.promise
    }
    const onReceipt = () => stop.abort()
    await watchLanding(bench.context, events(), { signal: stop.signal, onReceipt })
    expect(await bench.rows()).toEqual(['one'])
    never.resolve()
  })
})
