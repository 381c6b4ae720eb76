// The benchmark's own data and statistics: a ratio is worth as much as the file that it was measured on.

import { createHash } from 'node:crypto'
import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { damagedRows, orders } from '../../bench/data.ts'
import { median } from '../../bench/measure.ts'

const text = (file: Parameters<typeof orders>[0]) => [...orders(file)].join('')
const hash = (file: Parameters<typeof orders>[0]) => createHash('sha256').update(text(file)).digest('hex')

describe('orders', () => {
  it('are the same bytes every time, and other bytes with another seed', () => {
    const file = { rows: 3_000, damaged: 0.003 }
    expect(hash(file)).toBe(hash(file))
    expect(hash(file)).not.toBe(hash({ ...file, seed: 1 }))
  })

  it('without damage have a key in every row and nothing that breaks a rule', () => {
    const rows = parse(text({ rows: 2_000, damaged: 0, firstId: 50 }), { columns: true }) as Record<string, string>[]
    expect(rows).toHaveLength(2_000)
    expect(new Set(rows.map((row) => row.order_id)).size).toBe(2_000)
    expect(rows[0]?.order_id).toBe('50')
    expect(rows.some((row) => /[^\x20-\x7e]/.test(row.customer_name ?? ''))).toBe(true)
    expect(rows.filter((row) => !/^\S+@\S+\.\S+$/.test(row.email ?? ''))).toEqual([])
  })

  it('with damage break six rules, in turn, as often as damagedRows says', () => {
    const file = { rows: 12_000, damaged: 0.003 }
    const rows = parse(text(file), { columns: true }) as Record<string, string>[]
    const seen = new Set<string>()
    const broken = { key: 0, email: 0, status: 0, quantity: 0, price: 0, date: 0 }
    for (const row of rows) {
      if (seen.has(row.order_id ?? '')) broken.key++
      seen.add(row.order_id ?? '')
      if (row.email === '') broken.email++
      if (row.status === 'unknown') broken.status++
      if (row.quantity === '0') broken.quantity++
      if (row.unit_price === 'n/a') broken.price++
      if (row.order_date?.includes('.')) broken.date++
    }
    expect(broken).toEqual({ key: 6, email: 6, status: 6, quantity: 6, price: 6, date: 6 })
    expect(damagedRows(file)).toBe(36)
  })
})

describe('median', () => {
  it('takes the middle, or the mean of the two middle ones', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
  })
})
