// Writes docs/receipt.schema.json from the receipt's zod schema: node scripts/receipt-schema.ts
// With --check it only compares, for tests and CI.

import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { RECEIPT_FORMAT, receiptSchema } from '../lib/lake/receipt.ts'

export const SCHEMA_FILE = fileURLToPath(new URL('../docs/receipt.schema.json', import.meta.url))

/** The schema as the file has it. */
export function receiptJsonSchema(): string {
  const schema = {
    title: `A receipt of Weir, format ${RECEIPT_FORMAT}`,
    description: 'Made by scripts/receipt-schema.ts from lib/lake/receipt.ts. The words are in docs/receipt.md.',
    ...z.toJSONSchema(receiptSchema, { io: 'output' }),
  }
  return `${inlineShortLists(JSON.stringify(schema, null, 2))}\n`
}

/** Lists of words on one line where they fit, as the formatter of this repository writes them. */
function inlineShortLists(json: string): string {
  return json.replace(
    /^( *)(.*)\[\n((?: *"[^"\n]*",?\n)+) *\](,?)$/gm,
    (whole, indent: string, key: string, words: string, comma: string) => {
      const line = `${indent}${key}[${words.trim().split(/\n */).join(' ')}]${comma}`
      return line.length <= 120 ? line : whole
    },
  )
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const there = await readFile(SCHEMA_FILE, 'utf8').catch(() => '')
    if (there !== receiptJsonSchema()) {
      console.error('docs/receipt.schema.json is not that of lib/lake/receipt.ts. Run: node scripts/receipt-schema.ts')
      process.exit(1)
    }
  } else {
    await writeFile(SCHEMA_FILE, receiptJsonSchema())
  }
}
