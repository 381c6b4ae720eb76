// The receipt of versions that landing no longer showed when somebody looked.

import { afterEach, describe, expect, it } from 'vitest'
import { listReceipts } from '../../lib/lake/ledger.ts'
import { ingest } from '../../lib/pipeline/ingest.ts'
import { settleVersion } from '../../lib/pipeline/settle-version.ts'
import { type Bench, collect, openBench } from './helpers.ts'
import { headsOf } from './schedule.ts'
import type { standInCheck } from './standin.ts'

let bench: Bench
afterEach(() => bench.close())

const receipts = async () =>
  (await collect(listReceipts(bench.lake))).map(({ version, outcome, reason }) => ({
    version,
    outcome,
    code: reason?.code,
  }))

describe('settleVersion', () => {
  it('gives a replaced version its receipt, once, without reading it', async () => {
    bench = await openBench()
    const old = await bench.land('files/a.csv', 'old\n')
    const current = await bench.land('files/a.csv', 'new\n')
    await ingest(bench.context, 'files/a.csv')
    const check: typeof standInCheck = () => Promise.reject(new Error('it was read'))
    const landing = { ...bench.lake.zones.landing, fetch: () => Promise.reject(new Error('it was fetched')) }
    const context = { ...bench.context, check, lake: { ...bench.lake, zones: { ...bench.lake.zones, landing } } }
    const [one, other] = await Promise.all([
      settleVersion(context, 'files/a.csv', old.version),
      settleVersion(context, 'files/a.csv', old.version),
    ])
    const wrote = [one, other].filter((receipt) => receipt !== undefined)
    expect(wrote).toMatchObject([{ outcome: 'superseded', version: old.version, reason: { code: 'newer_version' } }])
    expect(await settleVersion(context, 'files/a.csv', old.version)).toBeUndefined()
    expect(await receipts()).toEqual(
      expect.arrayContaining([
        { version: old.version, outcome: 'superseded', code: 'newer_version' },
        { version: current.version, outcome: 'accepted' },
      ]),
    )
    expect(bench.notified).toHaveLength(2)
    // The head still is that of the newest version, and so are the rows.
    expect(await headsOf(bench.lake)).toMatchObject([{ state: 'published', version: current.version }])
    expect(await bench.rows()).toEqual(['new'])
    expect(await ingest(bench.context, 'files/a.csv')).toBeUndefined()
  })

  it('says of a version that was deleted that it is gone, and what comes later is taken in', async () => {
    bench = await openBench({ onDelete: 'retract' })
    const { version } = await bench.land('files/a.csv', 'one\n')
    await bench.lake.zones.landing.delete('files/a.csv')
    await ingest(bench.context, 'files/a.csv')
    await settleVersion(bench.context, 'files/a.csv', version)
    expect(await receipts()).toEqual([{ version, outcome: 'superseded', code: 'gone' }])
    await bench.land('files/a.csv', 'one\n')
    expect(await ingest(bench.context, 'files/a.csv')).toMatchObject({ outcome: 'accepted' })
    expect(await bench.rows()).toEqual(['one'])
  })

  it('leaves a version alone that was decided when landing showed it', async () => {
    bench = await openBench()
    const old = await bench.land('files/a.csv', 'old\nbad\n')
    await ingest(bench.context, 'files/a.csv')
    await bench.land('files/a.csv', 'new\n')
    expect(await settleVersion(bench.context, 'files/a.csv', old.version)).toBeUndefined()
    expect(await receipts()).toEqual([
      { version: old.version, outcome: 'accepted_with_rejects', code: 'rows_rejected' },
    ])
  })

  it('ingests a version that landing shows after all', async () => {
    bench = await openBench()
    const { version } = await bench.land('files/a.csv', 'one\n')
    expect(await settleVersion(bench.context, 'files/a.csv', version)).toMatchObject({ outcome: 'accepted', version })
    expect(await bench.rows()).toEqual(['one'])
  })

  it('takes a version in that comes back after it was superseded, with a receipt that names the first', async () => {
    bench = await openBench()
    const old = await bench.land('files/a.csv', 'old\n')
    await bench.lake.zones.landing.delete('files/a.csv')
    const gone = await settleVersion(bench.context, 'files/a.csv', old.version)
    expect(gone).toMatchObject({ outcome: 'superseded', reason: { code: 'gone' } })
    // On S3 whoever deletes the mark of the deletion brings the very version back.
    const { landing } = bench.lake.zones
    const back = { ...landing, head: () => landing.head('files/a.csv', old.version) }
    const context = { ...bench.context, lake: { ...bench.lake, zones: { ...bench.lake.zones, landing: back } } }
    const [one, other] = await Promise.all([ingest(context, 'files/a.csv'), ingest(context, 'files/a.csv')])
    const receipt = one ?? other
    expect([one, other].filter((each) => each !== undefined)).toHaveLength(1)
    expect(receipt).toMatchObject({ outcome: 'accepted', version: old.version, replayOf: gone?.upload })
    expect(receipt?.upload).not.toBe(gone?.upload)
    expect(await bench.rows()).toEqual(['old'])
    expect(await ingest(context, 'files/a.csv')).toBeUndefined()
    expect(await receipts()).toHaveLength(2)
    expect(bench.notified).toHaveLength(2)
  })

  it('does nothing about a version that is not kept', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    expect(await settleVersion(bench.context, 'files/a.csv', 'marker')).toBeUndefined()
    expect(await receipts()).toEqual([])
    await expect(settleVersion(bench.context, 'nobody/a.csv', 'marker')).rejects.toThrow(/no contract for the dataset/)
  })
})
