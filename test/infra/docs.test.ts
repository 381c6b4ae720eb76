// docs/deploy.md and the settings it lists, against the schema of weir.yaml.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { awsSettings, bytesOf } from '../../lib/lake/config.ts'
import { ROOT } from './stacks.ts'

test('docs/deploy.md lists every setting below aws:, with its default, and no other', async () => {
  const page = await readFile(join(ROOT, 'docs/deploy.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `(aws\.[\w.]+)` \| (.+?) \| (.+) \|$/gm)].map(([, path, value, words]) => ({
    path: path?.slice('aws.'.length),
    value: value?.replaceAll('`', '') ?? '',
    words,
  }))
  const settings = awsSettings()
  expect(settings.length).toBeGreaterThan(20)
  expect(rows.map(({ path }) => path)).toEqual(settings.map(({ path }) => path))
  for (const [index, { path, default: wanted }] of settings.entries()) {
    const { value = '', words = '' } = rows[index] ?? {}
    const empty = wanted === undefined || JSON.stringify(wanted) === '[]' || JSON.stringify(wanted) === '{}'
    if (empty) expect(value, path).toBe('–')
    else if (/^\d+[KMGT]B$/.test(value)) expect(bytesOf(value), path).toBe(wanted)
    else expect(value, path).toBe(String(wanted))
    expect(words.length, path).toBeGreaterThan(10)
  }
})

test('every setting has its words in the schema too', async () => {
  const source = await readFile(join(ROOT, 'lib/lake/config.ts'), 'utf8')
  for (const { path } of awsSettings()) {
    const name = path.split('.').at(-1) ?? ''
    expect(source, path).toMatch(new RegExp(`\\*/\\n\\s+${name}: `))
  }
})
