// Which dataset a file belongs to, and the words of the errors when none or several would do.

import { describe, expect, it } from 'vitest'
import { datasetOfKey, dateOfUpload, isUploadId, retractionId, sourceSlug, uploadId } from '../../lib/lake/keys.ts'
import { datasetFor } from '../../lib/pipeline/datasets.ts'
import { standInPlan } from './standin.ts'

const plans = new Map(
  [
    standInPlan('orders', { match: 'orders_*.csv' }),
    standInPlan('refunds', { match: '*_refunds*.csv' }),
    standInPlan('weather'),
  ].map((plan) => [plan.dataset, plan]),
)

describe('datasetFor', () => {
  it('takes the caller’s word, the first folder of a landing key, or the one match that fits', () => {
    expect(datasetFor(plans, 'whatever.csv', 'weather').dataset).toBe('weather')
    expect(datasetFor(plans, 'weather/2026/x.csv').dataset).toBe('weather')
    expect(datasetFor(plans, '/home/me/orders_1.csv').dataset).toBe('orders')
    expect(datasetFor(new Map([['weather', standInPlan('weather')]]), 'x.csv').dataset).toBe('weather')
  })

  it('says what there is when nothing or too much fits', () => {
    expect(() => datasetFor(plans, 'x.csv', 'oders')).toThrow(
      'There is no contract for the dataset "oders". Known datasets: orders, refunds, weather.',
    )
    expect(() => datasetFor(plans, 'x.csv')).toThrow('No contract\'s match fits the name "x.csv". Known datasets:')
    expect(() => datasetFor(plans, 'orders_refunds.csv')).toThrow(
      'The name "orders_refunds.csv" fits the contracts of orders and refunds. Say which: --dataset <name>.',
    )
    expect(() => datasetFor(new Map(), 'x.csv')).toThrow('There are no contracts yet: add one to contracts/.')
  })
})

describe('keys', () => {
  it('name an upload by time and by key and version', () => {
    const at = { version: 'v1', modified: new Date('2026-03-04T05:06:07.890Z') }
    const upload = uploadId('orders/a.csv', at)
    expect(upload).toMatch(/^20260304T050607890Z-[0-9a-f]{12}$/)
    expect(uploadId('orders/a.csv', { ...at, version: 'v2' })).not.toBe(upload)
    expect(retractionId('orders/a.csv', 3, at.modified)).not.toBe(retractionId('orders/a.csv', 4, at.modified))
    expect(dateOfUpload(upload)).toBe('2026-03-04')
    expect(isUploadId('../../x')).toBe(false)
    expect(() => dateOfUpload('x')).toThrow('"x" is not an upload id such as')
  })

  it('give every source a slug that is safe everywhere, and its own', () => {
    const keys = [
      'orders/ü 😀/a=b?.csv',
      'orders/A=B?.csv',
      `orders/${'x'.repeat(1000)}.csv`,
      'orders/~2',
      'orders/..a',
      'orders/日本',
    ]
    const slugs = keys.map(sourceSlug)
    for (const slug of slugs) expect(slug).toMatch(/^([a-z0-9][a-z0-9._]*-)?[0-9a-f]{12}$/)
    expect(new Set(slugs).size).toBe(keys.length)
    expect(datasetOfKey('orders/2026/a.csv')).toBe('orders')
    expect(datasetOfKey('a.csv')).toBeUndefined()
  })
})
