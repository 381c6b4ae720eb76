// One process of the kill -9 test: drops, changes, deletes and retracts files of a lake, and ingests and reconciles, until
// it is killed. It writes down what it drops before it drops it, so that the test knows what was ever there.

import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseContract } from '../../lib/contract/read.ts'
import { createEngine } from '../../lib/engine/engine.ts'
import { openLocalLake } from '../../lib/lake/local/lake.ts'
import { ingest } from '../../lib/pipeline/ingest.ts'
import { reconcile } from '../../lib/pipeline/reconcile.ts'
import { retract } from '../../lib/pipeline/retract.ts'
import { randomFrom } from './turns.ts'

export const CONTRACT = `apiVersion: v3.1.0
kind: DataContract
id: killed
version: 1.0.0
status: active
schema:
  - name: files
    properties:
      - name: n
        logicalType: integer
        required: true
      - name: file
        logicalType: string
    customProperties:
      - property: weir
        value: { onDelete: retract }
`

/** Files: so many rows with the file's own number in each, and every tenth with a number that is none. */
export function textOf(id: number): string {
  const rows = Array.from({ length: 5 + (id % 40) }, (_, row) => `${row % 10 === 9 ? 'none' : row},file ${id}`)
  return id % 7 === 0 ? `m,file\n${rows.join('\n')}\n` : `n,file\n${rows.join('\n')}\n`
}

async function run(root: string, drops: string, seed: number): Promise<void> {
  const lake = await openLocalLake(root, { durable: false, log: () => {} })
  const { plans } = parseContract(CONTRACT)
  const engine = await createEngine({ scratch: lake.scratch, threads: 1, memoryBytes: 256 * 1024 * 1024 })
  const context = { lake, plans, check: engine.check, now: () => new Date(), log: () => {} }
  const random = randomFrom(seed)
  process.send?.('ready')
  for (;;) {
    const key = `files/${random.below(6)}.csv`
    const what = random.below(20)
    if (what < 8) {
      // Some contents come twice, under one name or two.
      const id = random.below(60)
      appendFileSync(drops, `${id}\n`)
      await lake.zones.landing.put(key, textOf(id))
    } else if (what < 9) await lake.zones.landing.delete(key)
    else if (what < 10) await retract(context, key).catch(unknownIsFine)
    if (what < 18) await ingest(context, key)
    else if (what < 19) await reconcile(context)
    else await sleep(random.below(10))
  }
}

function unknownIsFine(error: unknown): void {
  if (!(error instanceof Error && error.name === 'UnknownSource')) throw error
}

const [root, drops, seed] = process.argv.slice(2)
if (process.send && root && drops && seed) await run(root, drops, Number(seed))
