import { describe, expect, test } from 'vitest'
import { renderHtml } from '../../lib/lake/render/html.ts'
import { colours } from '../../lib/lake/render/paint.ts'
import { renderLine, renderText } from '../../lib/lake/render/text.ts'
import { makeReceipt, withRejects } from './receipts.ts'

describe('one line per upload', () => {
  test('accepted', () => {
    expect(renderLine(makeReceipt())).toBe('✓ orders/orders_2026-10.csv  accepted 1,204 of 1,204 rows  (0.3 s)')
  })

  test('with rejects: grouped by rule and column, with rows, and where to see more', () => {
    expect(renderLine(withRejects())).toBe(
      [
        '! orders/orders_2026-10.csv  accepted 1,200 of 1,204 rows, rejected 4  (0.3 s)',
        '         3 × minimum in quantity: quantity must be at least 1',
        '             row 17: 0',
        '             row 44: -1',
        '             row 1,001: -7',
        '         2 × type in order_date: order_date must be a date as dd/MM/yyyy',
        '             row 17: 2026-13-01',
        '             row 90: (empty)',
        '    to see them: weir receipt 20261122T120102Z-0123456789ab',
      ].join('\n'),
    )
  })

  test('refused: the reason and the advice', () => {
    const line = renderLine(
      makeReceipt({
        outcome: 'refused',
        rows: { read: 0, accepted: 0, rejected: 0 },
        reason: { code: 'missing_column', message: 'There is no column order_date.', advice: 'Add it.' },
      }),
    )
    expect(line).toBe('✗ orders/orders_2026-10.csv  refused  (0.3 s)\n    There is no column order_date.\n    Add it.')
  })

  test('figures of rules are rounded for people, on the page too; the receipt keeps them as they are', () => {
    const found = 'found 82.24181360201511'
    const rule = { rule: 'mean_price', column: 'price', message: 'price must be at most 80', count: 1 }
    const receipt = makeReceipt({
      outcome: 'refused',
      reason: {
        code: 'rule_failed',
        message: `The rule mean_price does not hold: ${rule.message} (${found}).`,
        advice: 'Mend it.',
      },
      violations: [
        { ...rule, severity: 'error', samples: [{ message: found }] },
        { ...rule, severity: 'warning', samples: [{ message: found }] },
      ],
    })
    for (const text of [renderLine(receipt), renderText(receipt), renderHtml(receipt)]) {
      expect(text).toContain('price must be at most 80 (found 82.2418).')
      expect(text.replace('(found 82.2418).', '')).toContain('found 82.2418')
      expect(text).not.toContain('82.24181')
    }
    expect(JSON.stringify(receipt)).toContain(found)
  })

  test('says which upload it repairs', () => {
    const repair = makeReceipt({ repairs: [{ upload: '20261101T000000Z-ffffffffffff', rows: 3 }] })
    expect(renderLine(repair)).toContain('repairs 3 rows of 20261101T000000Z-ffffffffffff')
  })

  test('a value cannot steer the terminal', () => {
    const nasty = withRejects({
      violations: [
        {
          rule: 'type',
          column: 'a\u001b]0;x\u0007',
          severity: 'error',
          message: 'bad\nnews',
          count: 1,
          samples: [{ row: 2, value: '\u001b[2J\u202e' }],
        },
      ],
    })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those must not be there
    expect(renderLine(nasty)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
    expect(renderLine(nasty)).toContain('␛[2J⟨right-to-left override⟩')
  })
})

describe('the whole receipt', () => {
  test('shows the sum of rows, how the file was read, and what to do', () => {
    const text = renderText(withRejects())
    expect(text).toMatch(/^! 1,200 rows are in, 4 rows need mending\./)
    expect(text).toContain('1,204 read = 1,200 accepted + 4 rejected (99.7 % accepted)')
    expect(text).toContain(
      'csv, utf-8, separated by semicolon, quoted by ", with a header; found out by looking: delimiter',
    )
    expect(text).toContain('weir rejects 20261122T120102Z-0123456789ab --out orders_2026-10-repair.csv')
    expect(text).toContain('weir drop orders_2026-10-repair.csv --dataset orders')
  })

  test('shows how many rejects have been repaired, and asks for nothing when all are', () => {
    expect(renderText(withRejects(), undefined, { repaired: { rows: [17], uploads: ['u'] } })).toContain(
      '1 of 4 rejected rows so far',
    )
    const done = renderText(withRejects(), undefined, { repaired: { rows: [17, 44, 90, 1001], uploads: ['u'] } })
    expect(done).toContain('all rejected rows have been repaired')
    expect(done).not.toContain('weir rejects')
  })

  test('commands name the lake where the reader had to', () => {
    expect(renderText(withRejects(), undefined, { lake: 'my lake' })).toContain(
      "weir drop orders_2026-10-repair.csv --dataset orders --lake 'my lake'",
    )
    expect(renderLine(withRejects(), undefined, { lake: 'l' })).toContain(
      'weir receipt 20261122T120102Z-0123456789ab --lake l',
    )
  })

  test('names the clauses that were not enforced, and the warnings', () => {
    const text = renderText(
      makeReceipt({
        warnings: ['The column remark is not in the contract.'],
        notEnforced: [{ path: 'schema[0].relationships', clause: 'relationships', reason: 'needs other tables' }],
      }),
    )
    expect(text).toContain('The column remark is not in the contract.')
    expect(text).toContain('schema[0].relationships: needs other tables')
  })

  test('each outcome has a verdict and a next step', () => {
    const rows = { read: 0, accepted: 0, rejected: 0 }
    expect(
      renderText(makeReceipt({ outcome: 'duplicate', rows, duplicateOf: { source: 'orders/a.csv', upload: 'U1' } })),
    ).toContain('weir receipt U1')
    expect(renderText(makeReceipt({ outcome: 'superseded', rows }))).toContain(
      'a newer version of this file came first',
    )
    expect(renderText(makeReceipt({ outcome: 'retracted', rows, source: 'orders/2026/a b.csv' }))).toContain(
      "weir drop 'a b.csv' --dataset orders --name '2026/a b.csv'",
    )
    expect(renderText(makeReceipt({ rows }))).toContain('The file is fine, and holds no rows.')
  })

  test('a preview speaks of what would be, and points to no upload', () => {
    const text = renderText(withRejects(), undefined, { preview: true })
    expect(text).toContain('1,200 rows would be taken in, 4 rows need mending.')
    expect(text).not.toContain('weir rejects')
    expect(text).not.toContain('20261122T120102Z')
  })

  test('colour is only what the paint adds', () => {
    const coloured = renderText(withRejects(), colours)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape of colours
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(renderText(withRejects()))
    expect(coloured).not.toBe(renderText(withRejects()))
  })
})
