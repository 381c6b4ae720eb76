// Replay: what it decides, what it checks again, what it leaves; and that every upload keeps its one receipt.

import { createHash } from 'node:crypto'
import { readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { deleteFault, listFaults, writeFault } from '../../lib/lake/faults.ts'
import { contributionOf, readHead } from '../../lib/lake/heads.ts'
import { faultIdOf, uploadId } from '../../lib/lake/keys.ts'
import { listReceipts } from '../../lib/lake/ledger.ts'
import { ingest } from '../../lib/pipeline/ingest.ts'
import { reconcile } from '../../lib/pipeline/reconcile.ts'
import { replay, replayKeys, replayOne } from '../../lib/pipeline/replay.ts'
import { retract } from '../../lib/pipeline/retract.ts'
import { type Bench, collect, openBench } from './helpers.ts'
import { standInCheck, standInPlan } from './standin.ts'

let bench: Bench
afterEach(() => bench.close())

/** Today's contract: another hash, and the stand-in engine minds other words. */
function amend(hash: string, mind: (text: string) => string = (text) => text): Bench['context'] {
  const plan = { ...bench.plan, hash }
  return {
    ...bench.context,
    plans: new Map([[plan.dataset, plan]]),
    check: async (request) => {
      // The bytes are the same as always: only the judgement differs.
      const bytes = await readFile(request.path)
      const path = join(request.outDir, 'amended')
      await writeFile(path, mind(bytes.toString()))
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      return { ...(await standInCheck({ ...request, path })), sha256, size: bytes.length }
    },
  }
}

const receipts = (): Promise<{ upload: string; outcome: string; replayOf?: string | undefined }[]> =>
  collect(listReceipts(bench.lake)).then((all) =>
    all.map(({ upload, outcome, replayOf }) => ({ upload, outcome, replayOf })),
  )

describe('replay of a source', () => {
  it('decides what was never decided', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\ntwo\n')
    const report = await replay(bench.context, { source: 'files/a.csv' })
    expect(report).toMatchObject({ looked: 1, unchanged: 0, replayed: [{ result: 'decided', detail: 'accepted' }] })
    expect(report.replayed[0]?.receipt?.replayOf).toBeUndefined()
    expect(await bench.rows()).toEqual(['one', 'two'])
  })

  it('leaves alone what was checked under today’s contract, however often it is asked', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    await ingest(bench.context, 'files/a.csv')
    for (let n = 0; n < 3; n++) expect((await replay(bench.context, { source: 'files/a.csv' })).unchanged).toBe(1)
    expect(await receipts()).toHaveLength(1)
    expect(bench.notified).toHaveLength(1)
  })

  it('takes in a refused file once its contract is mended, as an upload of its own', async () => {
    bench = await openBench()
    const info = await bench.land('files/a.csv', 'refuse me\nrow\n')
    await ingest(bench.context, 'files/a.csv')
    expect(await bench.rows()).toEqual([])
    const mended = amend('hash-2', (text) => text.replace('refuse me', 'welcome'))

    const report = await replay(mended, { source: 'files/a.csv' })
    expect(report.replayed).toMatchObject([{ result: 'checked_again', detail: 'accepted' }])
    const [first, second] = await receipts()
    const original = uploadId('files/a.csv', info)
    const both = [first, second].sort((a) => (a?.upload === original ? -1 : 1))
    expect(both).toMatchObject([
      { upload: original, outcome: 'refused' },
      { outcome: 'accepted', replayOf: original },
    ])
    expect(await bench.rows()).toEqual(['row', 'welcome'])
    // The rows say which upload they belong to: the accepted one, never the refused one.
    const head = (await readHead(bench.lake.zones.ops, 'files', 'files/a.csv'))?.head
    expect(head?.contributions.map((one) => one.upload)).toEqual([both[1]?.upload])
    expect(bench.notified.map((one) => one.outcome)).toEqual(['refused', 'accepted'])

    // The event comes once more, and so does the replay: nothing new.
    expect(await ingest(mended, 'files/a.csv')).toBeUndefined()
    expect((await replay(mended, { source: 'files/a.csv' })).unchanged).toBe(1)
    expect((await reconcile(mended)).faults).toEqual([])
    expect(await receipts()).toHaveLength(2)
  })

  it('says nothing again to the uploader of a file that is refused for the same reason', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'refuse me\n')
    await ingest(bench.context, 'files/a.csv')
    const seen: string[] = []
    await replay(amend('hash-2'), { source: 'files/a.csv' }, { onReplayed: ({ detail }) => seen.push(detail) })
    expect(seen).toEqual(['refused again for the same reason: The file says so.'])
    expect(await receipts()).toHaveLength(1)
  })

  it('replaces the rows of an older contract in one step, and once', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\nbad two\n')
    await ingest(bench.context, 'files/a.csv')
    const mended = amend('hash-2', (text) => text.replace('bad ', ''))
    await Promise.all([replay(mended, { source: 'files/a.csv' }), replay(mended, { source: 'files/a.csv' })])
    expect(await bench.rows()).toEqual(['one', 'two'])
    expect((await receipts()).map((one) => one.outcome).sort()).toEqual(['accepted', 'accepted_with_rejects'])
    expect(bench.notified).toHaveLength(2)
  })

  it('keeps what was accepted when today’s contract refuses the file, and says so', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    await ingest(bench.context, 'files/a.csv')
    const stricter = amend('hash-2', (text) => `refuse ${text}`)
    const { replayed } = await replay(stricter, { source: 'files/a.csv' })
    expect(replayed).toMatchObject([{ result: 'checked_again', detail: 'refused' }])
    expect(replayed[0]?.receipt?.warnings).toEqual([
      expect.stringMatching(
        /^It was accepted before .*: those 1 rows stay in the lake\. To take them out: weir retract files\/a\.csv$/,
      ),
    ])
    expect(await bench.rows()).toEqual(['one'])
    // A contract that takes it again puts it right again.
    await replay(amend('hash-3'), { source: 'files/a.csv' })
    expect(await bench.rows()).toEqual(['one'])
    expect(await receipts()).toHaveLength(3)
  })

  it('checks bytes again that came again unchanged, in one step, and leaves them at their place among the sources', async () => {
    bench = await openBench()
    const again = async (key: string, text: string, time: string) => {
      await bench.land(key, text)
      await utimes(bench.lake.locate('landing', key), new Date(time), new Date(time))
      return ingest(bench.context, key)
    }
    const first = await again('files/a.csv', 'one\n', '2026-01-01T00:00:00Z')
    const other = await again('files/b.csv', 'two\n', '2026-01-02T00:00:00Z')
    await bench.land('files/a.csv', 'one\n')
    const { replayed } = await replay(
      amend('hash-2', (text) => text.replace('one', 'uno')),
      { source: 'files/a.csv' },
    )
    expect(replayed).toMatchObject([{ result: 'checked_again', detail: 'accepted' }])
    expect(await bench.rows()).toEqual(['two', 'uno'])
    const upload = replayed[0]?.receipt?.upload ?? ''
    expect(upload.slice(0, 18)).toBe(first?.upload.slice(0, 18))
    expect(upload).not.toBe(first?.upload)
    expect(upload < (other?.upload ?? '')).toBe(true)
    expect((await receipts()).map(({ outcome }) => outcome).sort()).toEqual([
      'accepted',
      'accepted',
      'accepted',
      'duplicate',
    ])
  })

  it('changes the newest version in its own place where versions add up', async () => {
    bench = await openBench({ redrop: 'append' })
    await bench.land('files/a.csv', 'one\n')
    await ingest(bench.context, 'files/a.csv')
    await bench.land('files/a.csv', 'two\nbad three\n')
    await ingest(bench.context, 'files/a.csv')
    await replay(
      amend('hash-2', (text) => text.replace('bad ', '')),
      { source: 'files/a.csv' },
    )
    expect(await bench.rows()).toEqual(['one', 'three', 'two'])
    const head = (await readHead(bench.lake.zones.ops, 'files', 'files/a.csv'))?.head
    expect(head?.contributions).toHaveLength(2)
  })

  it('does not let a file refuse itself where its dataset takes no second version', async () => {
    bench = await openBench({ redrop: 'refuse' })
    await bench.land('files/a.csv', 'one\n')
    await ingest(bench.context, 'files/a.csv')
    const { replayed } = await replay(amend('hash-2'), { source: 'files/a.csv' })
    expect(replayed).toMatchObject([{ result: 'checked_again', detail: 'accepted' }])
    expect(await bench.rows()).toEqual(['one'])
  })

  it('does not take in the repair file of an upload whose file was replayed since', async () => {
    bench = await openBench()
    const info = await bench.land('files/a.csv', 'one\nbad two\n')
    const first = uploadId('files/a.csv', info)
    await ingest(bench.context, 'files/a.csv')
    const context = amend('mild', (text) => text.replace('bad ', ''))
    const { receipt } = await replayOne(context, 'files/a.csv')
    expect(receipt).toMatchObject({ outcome: 'accepted', replayOf: first })
    await bench.land('files/repair.csv', `repair ${first} 2\n`)
    const refused = await ingest(context, 'files/repair.csv')
    expect(refused).toMatchObject({
      outcome: 'refused',
      rows: { read: 0, accepted: 0, rejected: 0 },
      reason: {
        code: 'repaired_upload_replayed',
        message: expect.stringContaining(
          `rows of upload ${first}, whose file was checked again: upload ${receipt?.upload}`,
        ),
        advice: `Nothing to do: upload ${receipt?.upload} rejects no row.`,
      },
    })
    expect(await bench.rows()).toEqual(['one', 'two'])
    // The other way round: what stands is the first decision, and a repair of the refused replay is refused too.
    await bench.land('files/b.csv', 'three\nbad four\n')
    const accepted = await ingest(bench.context, 'files/b.csv')
    const strict = amend('strict', (text) => `refuse\n${text}`)
    const again = await replayOne(strict, 'files/b.csv')
    expect(again.receipt).toMatchObject({ outcome: 'refused', replayOf: accepted?.upload })
    await bench.land('files/repair-2.csv', `repair ${again.receipt?.upload} 1\n`)
    const second = await ingest(bench.context, 'files/repair-2.csv')
    expect(second?.reason).toMatchObject({
      code: 'repaired_upload_replayed',
      advice: expect.stringContaining(`weir rejects ${accepted?.upload} --out repair.csv`),
    })
    // And the repair of what stands is taken in.
    await bench.land('files/repair-3.csv', `repair ${accepted?.upload} 2\n`)
    expect(await ingest(bench.context, 'files/repair-3.csv')).toMatchObject({ outcome: 'accepted' })
  })

  it('does not count repaired rows twice', async () => {
    bench = await openBench()
    const info = await bench.land('files/a.csv', 'one\nbad two\n')
    await ingest(bench.context, 'files/a.csv')
    await bench.land('files/repair.csv', `repair ${uploadId('files/a.csv', info)} 2\n`)
    await ingest(bench.context, 'files/repair.csv')
    const mended = amend('hash-2', (text) => text.replace('bad ', ''))
    const { replayed } = await replay(mended, { source: 'files/a.csv' })
    expect(replayed).toMatchObject([{ result: 'skipped' }])
    expect(replayed[0]?.detail).toContain('they would count twice. Retract the repair files first.')
    expect(await bench.rows()).toEqual(['one', `repair ${uploadId('files/a.csv', info)} 2`])
  })

  it('leaves a file retracted, and says how it comes back', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    await ingest(bench.context, 'files/a.csv')
    await retract(bench.context, 'files/a.csv')
    const { replayed } = await replay(amend('hash-2'), { source: 'files/a.csv' }, { again: true })
    expect(replayed).toMatchObject([
      { result: 'skipped', detail: 'It was taken out of the lake. Drop a new version to bring it back.' },
    ])
    expect(await bench.rows()).toEqual([])
  })

  it('says that a file is not in landing', async () => {
    bench = await openBench()
    const { replayed } = await replay(bench.context, { source: 'files/nowhere.csv' })
    expect(replayed).toMatchObject([{ result: 'skipped' }])
    expect(replayed[0]?.detail).toContain('not in landing')
    await expect(replay(bench.context, { source: 'other/a.csv' })).rejects.toThrow(
      /no contract for the dataset "other"/,
    )
  })

  it('keeps the upload of a replayed duplicate when its bytes become free', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    await bench.land('files/b.csv', 'one\n')
    // Refused at first, then a duplicate by replay, and promoted when the other leaves.
    const info = await bench.lake.zones.landing.head('files/b.csv')
    await ingest({ ...bench.context, check: bench.context.check, limits: { maxObjectBytes: 3 } }, 'files/b.csv')
    await ingest(bench.context, 'files/a.csv')
    const { replayed } = await replay(bench.context, { source: 'files/b.csv' })
    expect(replayed).toMatchObject([{ result: 'checked_again', detail: 'duplicate' }])
    await retract(bench.context, 'files/a.csv')
    expect(await bench.rows()).toEqual(['one'])
    const head = (await readHead(bench.lake.zones.ops, 'files', 'files/b.csv'))?.head
    const holder = contributionOf(head, head?.content?.sha256 ?? '')
    expect(holder?.upload).toBe(replayed[0]?.receipt?.upload)
    expect(holder?.upload).not.toBe(info && uploadId('files/b.csv', info))
  })
})

describe('replay of a dataset', () => {
  it('looks at the files dropped since then, and passes by what nobody dropped', async () => {
    bench = await openBench({}, [standInPlan('others')])
    await bench.land('files/old.csv', 'old\n')
    await bench.land('files/.hidden', 'no\n')
    await bench.land('others/x.csv', 'x\n')
    const old = await bench.lake.zones.landing.head('files/old.csv')
    const since = new Date((old?.modified.getTime() ?? 0) + 5)
    await new Promise((resolve) => setTimeout(resolve, 20))
    await bench.land('files/new.csv', 'new\n')
    expect(await collect(replayKeys(bench.context, { dataset: 'files', since }))).toEqual(['files/new.csv'])
    expect(await collect(replayKeys(bench.context, { dataset: 'files' }))).toEqual(['files/new.csv', 'files/old.csv'])
    const report = await replay(bench.context, { dataset: 'files', since })
    expect(report).toMatchObject({ looked: 1, replayed: [{ source: 'files/new.csv', result: 'decided' }] })
    await expect(replay(bench.context, { dataset: 'nope' })).rejects.toThrow(/no contract for the dataset "nope"/)
  })

  it('goes on after a fault with one file', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    await bench.land('files/b.csv', 'two\n')
    const check: typeof standInCheck = async (request) => {
      if (request.fileName === 'a.csv') throw new Error('the disk is on fire')
      return standInCheck(request)
    }
    const report = await replay({ ...bench.context, check }, { dataset: 'files' })
    expect(report.replayed.map(({ source, result }) => `${source} ${result}`).sort()).toEqual([
      'files/a.csv failed',
      'files/b.csv decided',
    ])
    expect(report.replayed.find((one) => one.result === 'failed')?.detail).toContain('the disk is on fire')
  })
})

describe('replay of faults', () => {
  it('brings in what had failed, and forgets the fault', async () => {
    bench = await openBench()
    const { ops } = bench.lake.zones
    await bench.land('files/a.csv', 'one\n')
    const at = new Date().toISOString()
    await writeFault(ops, {
      id: faultIdOf('files/a.csv'),
      source: 'files/a.csv',
      kind: 'fault',
      reason: 'x',
      attempts: 3,
      at,
    })
    await writeFault(ops, { id: 'm-1', kind: 'poison', reason: 'It is not JSON.', body: 'hello', attempts: 5, at })
    const report = await replay(bench.context, { faults: true })
    expect(report.replayed.map(({ result }) => result).sort()).toEqual(['decided', 'failed'])
    expect((await collect(listFaults(ops))).map(({ id }) => id)).toEqual(['m-1'])
    await deleteFault(ops, 'm-1')
    expect(await collect(listFaults(ops))).toEqual([])
  })
})
