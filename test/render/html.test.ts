import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { renderHtml } from '../../lib/lake/render/html.ts'
import { makeReceipt, withRejects } from './receipts.ts'

/** Element names and attribute names of a page, by a small tokenizer that reads tags as browsers do. */
function tagsOf(html: string): { name: string; attributes: string[] }[] {
  const body = html.replace(/<style>[\s\S]*?<\/style>/, '')
  return [...body.matchAll(/<([a-z][a-z0-9]*)((?:\s+[^\s"'>/=]+(?:="[^"]*")?)*)\s*\/?>/gi)].map((match) => ({
    name: (match[1] ?? '').toLowerCase(),
    attributes: [...(match[2] ?? '').matchAll(/\s([^\s"'>/=]+)(?:="[^"]*")?/g)].map((one) => one[1] ?? ''),
  }))
}

function rejectWith(value: string) {
  return withRejects({
    source: `orders/${value}.csv`,
    warnings: [value],
    reason: { code: 'x', message: value, advice: value },
    violations: [
      {
        rule: value,
        column: value,
        severity: 'error',
        message: value,
        count: 1,
        samples: [{ row: 2, value, message: value }],
      },
      { rule: value, column: value, severity: 'warning', message: value, count: 1, samples: [{ row: 2, value }] },
    ],
    notEnforced: [{ path: value, clause: value, reason: value }],
  })
}

describe('the page', () => {
  test('says in plain words what happened, with the numbers', () => {
    const html = renderHtml(withRejects())
    expect(html).toContain('1,200 rows are in, 4 rows need mending.')
    for (const number of ['1,204', '1,200', '99.7 %']) expect(html).toContain(`<dd>${number}</dd>`)
    expect(html).toContain('quantity must be at least 1')
    expect(html).toContain('A row can break several rules: 5 findings in 4 rows.')
  })

  test('lists the rows to mend in row order, a row with two findings once by number', () => {
    const html = renderHtml(withRejects())
    const rows = [...html.matchAll(/<td class="row">(?:<span class="same">)?([\d,]+)/g)].map((match) => match[1])
    expect(rows).toEqual(['17', '17', '44', '90', '1,001'])
    expect(html.match(/class="again"/g)).toHaveLength(1)
  })

  test('tells when it shows only some of the rows', () => {
    const some = withRejects({ rows: { read: 9000, accepted: 0, rejected: 9000 } })
    expect(renderHtml(some)).toContain('These are 4 of 9,000 rows. All of them are in the repair file.')
    expect(renderHtml(withRejects())).not.toContain('These are')
  })

  test('gives the commands to copy and the place of the repair file', () => {
    const html = renderHtml(withRejects(), {
      repairFile: '/lake/ops/repair.csv',
      repaired: { rows: [17], uploads: ['u'] },
    })
    expect(html).toContain('weir rejects 20261122T120102Z-0123456789ab --out orders_2026-10-repair.csv')
    expect(html).toContain('/lake/ops/repair.csv')
    expect(html).toContain('1 of 4 rejected rows so far')
  })

  test('hides the value of a column that is not public', () => {
    const html = renderHtml(
      withRejects({
        violations: [
          {
            rule: 'format',
            column: 'email',
            severity: 'error',
            message: 'email must be an address',
            count: 1,
            samples: [{ row: 5 }],
          },
        ],
      }),
    )
    expect(html).toContain('not shown')
  })

  test('needs nothing from elsewhere and runs nothing', () => {
    const html = renderHtml(withRejects())
    const names = new Set(tagsOf(html).map((tag) => tag.name))
    for (const name of ['script', 'link', 'img', 'iframe', 'object', 'a', 'form', 'base'])
      expect(names).not.toContain(name)
    expect(html).toContain(`content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`)
    expect(html).not.toMatch(/https?:|@import|url\(/)
  })

  test('is the same for the same receipt', () => {
    expect(renderHtml(withRejects())).toBe(renderHtml(withRejects()))
  })

  test('adds no chart, table or tiles to an upload without rows', () => {
    const html = renderHtml(makeReceipt({ outcome: 'duplicate', rows: { read: 0, accepted: 0, rejected: 0 } }))
    expect(html).not.toContain('<table')
    expect(html).not.toContain('class="tiles"')
  })
})

describe('what comes from a file stays text', () => {
  const plain = tagsOf(renderHtml(rejectWith('x'))).map((tag) => JSON.stringify(tag))

  test.each([
    ['<script>alert(1)</script>'],
    ['"><img src=x onerror=alert(1)>'],
    ["' onmouseover='alert(1)"],
    ['</style><script>1</script>'],
    ['</title><svg onload=alert(1)>'],
    ['&lt;b&gt; &amp;'],
    ['<!-- -->]]>'],
  ])('%s', (value) => {
    const html = renderHtml(rejectWith(value), { repairFile: value })
    const tags = tagsOf(html.replace(/<p class="quiet">The rejected rows are kept[^\n]*?<\/p>/, '')).map((tag) =>
      JSON.stringify(tag),
    )
    expect(tags).toEqual(plain)
    expect(html).not.toContain(value)
  })

  test('any text at all adds no element and no attribute', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', '/', '=', ' ', 'a', '\0', '\n', '!', '-') }),
        (noise) => {
          const tags = tagsOf(renderHtml(rejectWith(`x${noise}`))).map((tag) => JSON.stringify(tag))
          expect(tags).toEqual(plain)
        },
      ),
      { numRuns: 60 },
    )
  })

  test('controls and bidi are visible, and long values short', () => {
    const html = renderHtml(rejectWith(`a\u202eb\u0000${'y'.repeat(9000)}`))
    expect(html).toContain('a⟨right-to-left override⟩b␀')
    expect(html).not.toContain('\u202e')
    expect(html.length).toBeLessThan(40_000)
  })
})
