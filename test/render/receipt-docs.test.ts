// The documents of the receipt say what the code does.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { OUTCOMES, receiptSchema } from '../../lib/lake/receipt.ts'
import { receiptJsonSchema, SCHEMA_FILE } from '../../scripts/receipt-schema.ts'

const page = await readFile(new URL('../../docs/receipt.md', import.meta.url), 'utf8')

/** Code words in the first column of the tables of a section. */
function documented(heading: string): string[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(heading)) ?? ''
  return [...section.matchAll(/^\| ((?:`[\w]+`(?:, )?)+) \|/gm)].flatMap((match) =>
    [...(match[1] ?? '').matchAll(/`(\w+)`/g)].map((word) => word[1] ?? ''),
  )
}

test('docs/receipt.schema.json is that of the code (else run: node scripts/receipt-schema.ts)', async () => {
  expect(await readFile(SCHEMA_FILE, 'utf8')).toBe(receiptJsonSchema())
})

describe('docs/receipt.md', () => {
  test('explains every field, and no other', () => {
    expect(documented('Fields').sort()).toEqual(Object.keys(receiptSchema.shape).sort())
  })

  test('explains every outcome, and no other', () => {
    expect(documented('Outcomes')).toEqual([...OUTCOMES])
  })

  test('explains every reason code that engine and pipeline use, and no other', async () => {
    const used = new Set<string>()
    for (const folder of ['engine', 'pipeline']) {
      const root = new URL(`../../lib/${folder}/`, import.meta.url).pathname
      for (const name of await readdir(root, { recursive: true })) {
        // Curated tables have runs, not receipts: docs/curated.md explains theirs.
        if (!name.endsWith('.ts') || name.startsWith('curate/')) continue
        const source = await readFile(join(root, name), 'utf8')
        for (const [, code] of source.matchAll(/(?:new Refusal\(\s*|\bcode: )'([a-z_]+)'/g)) used.add(code ?? '')
      }
    }
    expect(used.size).toBeGreaterThan(20)
    expect(documented('Reason codes').sort()).toEqual([...used].sort())
  })
})

describe('docs/curated.md', () => {
  test('explains every reason for which a run makes no version, and no other', async () => {
    const source = await readFile(new URL('../../lib/pipeline/curate/run.ts', import.meta.url), 'utf8')
    const used = [...source.matchAll(/\bcode: '([a-z_]+)'/g)].map(([, code]) => code)
    const page = await readFile(new URL('../../docs/curated.md', import.meta.url), 'utf8')
    const [, table = ''] = /\| `reason.code` \|[^\n]*\n\|[-| ]+\n((?:\|[^\n]*\n)+)/.exec(page) ?? []
    expect(used.length).toBeGreaterThan(2)
    expect([...table.matchAll(/^\| `([a-z_]+)` /gm)].map(([, code]) => code).sort()).toEqual(used.sort())
  })
})
