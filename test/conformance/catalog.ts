// What every catalog and every notifier must do, on any adapter. `open` gives a fresh, empty lake; the suite closes it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Catalog, Lake, Partition } from '../../lib/lake/ports.ts'
import { ORDERS, receiptFor } from './query.ts'

async function partitionsOf(catalog: Catalog, table: string): Promise<Partition[]> {
  const found: Partition[] = []
  for await (const partition of catalog.listPartitions(table)) found.push(partition)
  return found
}

export function catalogConformance(name: string, open: () => Promise<Lake>): void {
  describe(`catalog: ${name}`, () => {
    let lake: Lake
    let catalog: Catalog
    beforeAll(async () => {
      lake = await open()
      catalog = lake.catalog
    })
    afterAll(() => lake.close())

    test('a table is what was put last', async () => {
      expect(await catalog.getTable('clean.orders')).toBeUndefined()
      await catalog.putTable(ORDERS)
      expect(await catalog.getTable('clean.orders')).toEqual(ORDERS)
      const wider = {
        ...ORDERS,
        description: 'Orders, "quoted" and ümlaut',
        columns: [...ORDERS.columns, { name: 'new', type: 'DATE', comment: "it's new" }],
      }
      await catalog.putTable(wider)
      expect(await catalog.getTable('clean.orders')).toEqual(wider)
      await catalog.putTable({ ...ORDERS, name: 'clean.airports' })
      expect((await catalog.listTables()).map((table) => table.name)).toEqual(['clean.airports', 'clean.orders'])
    })

    test('one of a new lake is complete, and has a name of its own that stays', async () => {
      const state = await catalog.state()
      expect(state).toEqual({ generation: expect.stringMatching(/./), complete: true })
      await catalog.markComplete(state.generation)
      await catalog.markComplete('the name of another')
      expect(await catalog.state()).toEqual(state)
    })

    test('partitions are pointed elsewhere, listed in order, and deleted', async () => {
      expect(await partitionsOf(catalog, 'clean.orders')).toEqual([])
      expect(await catalog.getPartition('clean.orders', ['2026-03-01', 'a'])).toBeUndefined()
      const b = { values: ['2026-03-01', 'b'], location: 'orders/b/1/' }
      const a = { values: ['2026-03-01', 'a'], location: 'orders/a/1/' }
      await catalog.putPartition('clean.orders', b)
      await catalog.putPartition('clean.orders', a)
      await catalog.putPartition('clean.airports', { values: ['2026-03-01', 'a'], location: 'airports/a/1/' })
      expect(await partitionsOf(catalog, 'clean.orders')).toEqual([a, b])
      await catalog.putPartition('clean.orders', { ...a, location: 'orders/a/2/' })
      expect(await catalog.getPartition('clean.orders', a.values)).toEqual({ ...a, location: 'orders/a/2/' })
      await catalog.deletePartition('clean.orders', a.values)
      await catalog.deletePartition('clean.orders', ['never', 'there'])
      expect(await partitionsOf(catalog, 'clean.orders')).toEqual([b])
      expect(await partitionsOf(catalog, 'clean.airports')).toHaveLength(1)
    })

    test('values are texts of any kind', async () => {
      const odd = [
        ["it's", 'a/b'],
        ['a', 'b,c'],
        ['a,b', 'c'],
        ['', ' '],
        ['📈', '%20'],
      ]
      await catalog.putTable({ ...ORDERS, name: 'clean.odd' })
      for (const [i, values] of odd.entries())
        await catalog.putPartition('clean.odd', { values, location: `odd/${i}/` })
      for (const [i, values] of odd.entries())
        expect(await catalog.getPartition('clean.odd', values)).toEqual({ values, location: `odd/${i}/` })
      expect(await partitionsOf(catalog, 'clean.odd')).toHaveLength(odd.length)
    })

    test('readers see the old or the new location of a partition, never none or both', async () => {
      await catalog.putTable({ ...ORDERS, name: 'clean.swap' })
      const values = ['2026-03-01', 'swapped']
      await catalog.putPartition('clean.swap', { values, location: 'swap/0/' })
      let stop = false
      let swaps = 0
      const swapping = (async () => {
        for (; !stop; swaps++) {
          await catalog.putPartition('clean.swap', { values, location: `swap/${swaps}/` })
          await new Promise(setImmediate)
        }
      })()
      for (let i = 0; i < 100; i++) {
        expect(await partitionsOf(catalog, 'clean.swap')).toEqual([
          { values, location: expect.stringMatching(/^swap\/\d+\/$/) },
        ])
        await new Promise(setImmediate)
      }
      stop = true
      await swapping
      expect(swaps).toBeGreaterThan(1)
    })
  })
}

/** `heard` gives the upload ids that the uploader was told of, in order. */
export function notifierConformance(
  name: string,
  open: () => Promise<{ lake: Lake; heard: () => Promise<string[]> }>,
): void {
  describe(`notifier: ${name}`, () => {
    test('each receipt reaches the uploader once', async () => {
      const { lake, heard } = await open()
      const uploads = ['20260301T080000Z-000000000001', '20260301T080000Z-000000000002']
      for (const upload of uploads)
        await lake.notifier.notify(receiptFor(upload), {
          dataset: 'orders',
          support: [{ channel: 'email', url: 'mailto:a@example.org' }],
        })
      expect(await heard()).toEqual(uploads)
      await lake.close()
    })
  })
}
