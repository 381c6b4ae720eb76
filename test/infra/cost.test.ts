// docs/cost.md against its own arithmetic, and that against what one upload really asks of S3 and Glue.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  CURATE,
  curateCost,
  glueJobsCost,
  ingestCost,
  MEMORY_GB,
  PRICES,
  REQUESTS,
  SECONDS,
} from '../../lib/infra/cost.ts'
import { ingest } from '../../lib/pipeline/ingest.ts'
import { openBench } from '../pipeline/helpers.ts'
import { surround } from '../pipeline/ports.ts'
import { ROOT } from './stacks.ts'

test('one upload makes as many requests as the model says', async () => {
  const bench = await openBench()
  const calls: string[] = []
  const lake = surround(bench.lake, (name, _key, call) => {
    calls.push(name)
    return call()
  })
  // A function opens the lake once: the table is known after the first file.
  await bench.land('files/first.csv', 'a,1\n')
  const context = { ...bench.context, lake, pages: true }
  await ingest(context, 'files/first.csv')
  calls.length = 0
  await bench.land('files/second.csv', 'b,2\n')
  expect(await ingest(context, 'files/second.csv')).toMatchObject({ outcome: 'accepted' })
  await bench.close()

  const count = (pattern: RegExp) => calls.filter((name) => pattern.test(name)).length
  const zone = '(landing|clean|curated|ops)'
  // The uploader's own PUT is one more; a fetch is a look and a read.
  const puts = count(new RegExp(`^${zone}\\.(put|list)$`)) + 1
  const gets = count(new RegExp(`^${zone}\\.(head|get|verify)$`)) + 2 * count(new RegExp(`^${zone}\\.fetch$`))
  expect({ puts, gets, glue: 2 * count(/^catalog\./) }, calls.join(' ')).toEqual({
    puts: REQUESTS.s3Put,
    gets: REQUESTS.s3Get,
    glue: REQUESTS.glue,
  })
})

const dollars = (amount: number): string => `$${amount.toFixed(amount < 1 ? 4 : 2)}`

test('the numbers of docs/cost.md are the model’s', async () => {
  const page = await readFile(join(ROOT, 'docs/cost.md'), 'utf8')
  const small = ingestCost(1000, 0.001)
  const large = ingestCost(1, 1)
  const rows = [
    `| Lambda | 1,000 × (${SECONDS.perFile} s × ${MEMORY_GB} GB × $${PRICES.lambdaGbSecond} + $0.0000002) | ${dollars(small.lambda)} |`,
    `| S3 | 1,000 × (${REQUESTS.s3Put} PUT × $0.000005 + ${REQUESTS.s3Get} GET × $0.0000004) | ${dollars(small.s3)} |`,
    `| SQS, EventBridge, Glue catalog | 1,000 × (${REQUESTS.sqs} × $0.0000004 + ${REQUESTS.events} × $0.000001 + ${REQUESTS.glue} × $0.000001) | ${dollars(small.other)} |`,
    `| **Weir** | | **${dollars(small.total)}** |`,
    `| **A Glue job per file** | 1,000 × 2 jobs × 2 workers × 1/60 h × $${PRICES.glueDpuHour} | **${dollars(glueJobsCost(1000))}** |`,
    `| Lambda | ${SECONDS.perGB} s × ${MEMORY_GB} GB × $${PRICES.lambdaGbSecond} + $0.0000002 | ${dollars(large.lambda)} |`,
    `| **Weir** | | **${dollars(large.total)}** |`,
    `| **Glue jobs, 3 minutes each** | 2 jobs × 2 workers × 3/60 h × $${PRICES.glueDpuHour} | **${dollars(glueJobsCost(1, 3))}** |`,
  ]
  for (const row of rows) expect(page).toContain(row)
  expect(page).toContain(`${Math.round(glueJobsCost(1000) / small.total)} times`)
})

test('what docs/cost.md says of curated tables is the model’s too', async () => {
  const page = await readFile(join(ROOT, 'docs/cost.md'), 'utf8')
  const { statements, seconds, memoryGB, s3Put, s3Get, sqs, events } = CURATE
  const one = curateCost(1000, 0)
  const rows = [
    `| Lambda | 1,000 × (${seconds} s × ${memoryGB} GB × $${PRICES.lambdaGbSecond} + $0.0000002) | ${dollars(one.lambda)} |`,
    `| Athena | 1,000 × ${statements} × 10 MB × $${PRICES.athenaTb} per TB | ${dollars(one.athena)} |`,
    `| S3, SQS, EventBridge | 1,000 × (${s3Put} PUT × $0.000005 + ${s3Get} GET × $0.0000004 + ${sqs} × $0.0000005 + ${events} × $0.000001) | ${dollars(one.other)} |`,
    `| **all, a day** | 1,000 runs | **${dollars(one.total)}** |`,
    `| **in 20 bursts of 50** | 20 runs | **${dollars(curateCost(20, 0).total)}** |`,
    `| 1,000 uploads, each at another time | 1,000 runs, each reads 1 GB for ${dollars(PRICES.athenaTb / 1024)} | **${dollars(curateCost(1000, 1).total)}** |`,
    `| the same, with \`delaySeconds: 900\` | at most ${(24 * 60) / 15} runs a day | **${dollars(curateCost(96, 1).total)}** |`,
  ]
  for (const row of rows) expect(page).toContain(row)
  // Ten megabytes are billed for less; a GB is billed as it is.
  expect(curateCost(1, 0)).toEqual(curateCost(1, 0.005))
  expect(curateCost(1, 2).athena - curateCost(1, 1).athena).toBeCloseTo(PRICES.athenaTb / 1024, 12)
})
