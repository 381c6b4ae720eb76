// Every contract shown in the reference is a valid one, and the reference names every setting there is.

import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { STRING_FORMATS } from '../../lib/contract/formats.ts'
import { OPERATORS, OPTION_NAMES } from '../../lib/contract/odcs.ts'
import { parseContract } from '../../lib/contract/read.ts'
import { weirSettings } from '../../lib/contract/settings.ts'

const text = await readFile(new URL('../../docs/contract.md', import.meta.url), 'utf8')
const contracts = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)]
  .map((m) => m[1] ?? '')
  .filter((block) => block.includes('kind: DataContract'))

describe('docs/contract.md', () => {
  it('shows contracts', () => expect(contracts.length).toBeGreaterThanOrEqual(3))
  it.each(contracts.map((block, i) => [i + 1, block] as const))(
    'contract %i is valid, without a warning',
    (_i, block) => {
      const { plans, warnings } = parseContract(block)
      expect(plans.size).toBe(1)
      expect(warnings).toEqual([])
      for (const plan of plans.values()) expect(plan.notEnforced).toEqual([])
    },
  )
  it('names every option, operator, string format and setting', () => {
    const { file, curated, ...rest } = weirSettings.shape
    const settings = [
      ...Object.keys(rest),
      ...Object.keys(file.unwrap().shape).map((k) => `file.${k}`),
      ...Object.keys(curated.unwrap().shape).map((k) => `curated.${k}`),
    ]
    const words = [
      ...new Set([...Object.values(OPTION_NAMES).flat(), ...OPERATORS, ...Object.keys(STRING_FORMATS), ...settings]),
    ]
    expect(words.filter((word) => !text.includes(`\`${word}\``))).toEqual([])
  })
})
