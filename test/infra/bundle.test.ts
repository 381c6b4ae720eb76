// The code of the functions as Lambda gets it: the right machine's binary, small enough, the same twice, and it starts.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { globSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openModels } from '../../lambdas/common/models.ts'
import { readContracts } from '../../lib/contract/read.ts'
import { synthesise } from '../../lib/infra/app.ts'
import { ARCHITECTURES, type Architecture, packageOf, targetBinaries } from '../../lib/infra/binaries.ts'
import { bundle } from '../../lib/infra/bundle.ts'
import { BinaryMissing } from '../../lib/infra/errors.ts'
import { readLakeToDeploy } from '../../lib/infra/lake.ts'
import { followingTables, readCuratedIndex, tablesOf } from '../../lib/lake/aws/curated-index.ts'
import { type CurateContext, curatedTables, tablesAfter } from '../../lib/pipeline/curate/context.ts'
import { lakeFolder, ROOT, removeFolders } from './stacks.ts'

const MB = 1024 ** 2
/** e_machine of an ELF header: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html */
const MACHINES: Record<Architecture, number> = { x64: 62, arm64: 183 }

function machineOf(file: string): number {
  const header = Buffer.alloc(20)
  readSync(openSync(file, 'r'), header, 0, 20, 0)
  expect(header.subarray(0, 5).toString('latin1')).toBe('\x7fELF\x02')
  return header.readUInt16LE(18)
}

/** A little more than the size of the zip: every file deflated in haste, and room for its name. */
function zipped(folder: string): number {
  let total = 0
  for (const file of filesOf(folder)) total += gzipSync(readFileSync(join(folder, file)), { level: 1 }).length + 200
  return total
}

const filesOf = (folder: string): string[] =>
  globSync('**/*', { cwd: folder })
    .filter((file) => statSync(join(folder, file)).isFile())
    .sort()

let work: string
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'weir-bundle-'))
})
afterAll(async () => {
  await rm(work, { recursive: true, force: true })
  await removeFolders()
})

describe.each(ARCHITECTURES)('the zip of ingest and reconcile for %s', (architecture) => {
  test('has the DuckDB of that machine, whatever machine this is, and fits: at most 60 MB zipped', async () => {
    const to = join(work, architecture)
    const lake = await readLakeToDeploy(await lakeFolder())
    await bundle({ zip: 'workers', architecture, lake, to })
    const native = join(to, 'node_modules', packageOf(architecture))
    expect(machineOf(join(native, 'duckdb.node'))).toBe(MACHINES[architecture])
    expect(machineOf(join(native, 'libduckdb.so'))).toBe(MACHINES[architecture])
    expect(globSync('node_modules/@duckdb/*', { cwd: to }).length).toBe(3)
    expect(zipped(to)).toBeLessThan(60 * MB)
    // Each function that shares the zip, and the parser of SQL, which is looked for beside the code.
    for (const file of ['ingest.mjs', 'reconcile.mjs', 'curate.mjs', 'polyglot_sql.wasm'])
      expect(statSync(join(to, file)).isFile()).toBe(true)
    expect(filesOf(join(to, 'contracts'))).toEqual(filesOf(join(ROOT, 'contracts')))
  })
})

test('a binary that is not to be had is an error that says what to do', async () => {
  const missing = targetBinaries('arm64', { version: '0.0.0-none', cache: join(work, 'cache') })
  await expect(missing).rejects.toThrow(BinaryMissing)
  await expect(missing).rejects.toThrow(/needs @duckdb\/node-bindings-linux-arm64@0\.0\.0-none.*npm run postinstall/)
})

test('the bundle of the contracts function starts by itself, and hands out the contracts that lie beside it', async () => {
  const to = join(work, 'contracts-function')
  await bundle({ zip: 'answers', architecture: 'arm64', lake: await readLakeToDeploy(await lakeFolder()), to })
  expect(globSync('node_modules', { cwd: to })).toEqual([])
  const call =
    "const { handler } = await import('./contracts.mjs'); console.log(JSON.stringify(await handler({}, { getRemainingTimeInMillis: () => 1000 })))"
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', call], {
    cwd: to,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      POWERTOOLS_DEV: 'true',
      POWERTOOLS_SERVICE_NAME: 'weir',
      POWERTOOLS_METRICS_DISABLED: 'true',
    },
  })
  const line = output.split('\n').find((one) => one.startsWith('{"files"'))
  const { files } = JSON.parse(line ?? '{}') as { files: { name: string; text: string }[] }
  expect(files.map(({ name }) => name)).toEqual(filesOf(join(ROOT, 'contracts')))
  expect(files[0]?.text).toBe(await readFile(join(ROOT, 'contracts', files[0]?.name ?? ''), 'utf8'))
})

test('settings travel with the code, with contracts and models at their place beside it', async () => {
  const days = `/*---
schedule: cron(0 6 * * ? *)
---*/
SELECT title FROM clean.movies
`
  const models = { 'titles.sql': days, 'heads.sql': 'SELECT title FROM curated.titles' }
  const settings = 'name: shop\ncontracts: agreed\nmodels: made\nlimits: {maxRuleSeconds: 7}\n'
  const folder = await lakeFolder(settings, {}, models)
  await cp(join(folder, 'contracts'), join(folder, 'agreed'), { recursive: true })
  await cp(join(folder, 'models'), join(folder, 'made'), { recursive: true })
  const to = join(work, 'settings')
  await bundle({ zip: 'answers', architecture: 'x64', lake: await readLakeToDeploy(folder), to })
  const { readLakeConfig } = await import('../../lib/lake/config.ts')
  expect(await readLakeConfig(to)).toMatchObject({
    name: 'shop',
    contracts: join(to, 'contracts'),
    models: join(to, 'models'),
    limits: { maxRuleSeconds: 7 },
  })
  expect(await readFile(join(to, 'models/titles.sql'), 'utf8')).toBe(days)
  const plans = (await readContracts(join(to, 'contracts'))).plans
  const opened = await openModels(join(to, 'models'), plans)
  expect(opened.map(({ name }) => name).sort()).toEqual(['heads', 'titles'])
  // Whom a function tells is what the use case would say, but for what waits for its time.
  const index = await readCuratedIndex(to)
  const context = { models: opened, plans }
  expect(index.map(({ table }) => table).sort()).toEqual(
    curatedTables(context)
      .map(({ name }) => name)
      .sort(),
  )
  for (const dataset of plans.keys())
    expect(tablesOf(index, dataset)).toEqual(tablesAfter(context as unknown as CurateContext, [dataset]))
  expect(followingTables(index)).toContain('heads')
  expect(followingTables(index)).not.toContain('titles')
})

describe('synthesis', () => {
  test('twice gives the same templates and the same assets, and nothing of this machine', async () => {
    const made: Record<string, string>[] = []
    for (const name of ['first', 'second']) {
      const outdir = join(work, name)
      // Another folder each time: the place of a lake must not show.
      await synthesise({ outdir, lake: await lakeFolder() })
      const files = filesOf(outdir).filter(
        (file) => !/^(tree|manifest|validation-report)\.json$|metadata\.json$|node_modules/.test(file),
      )
      made.push(
        Object.fromEntries(
          files.map((file) => [
            file,
            createHash('sha256')
              .update(readFileSync(join(outdir, file)))
              .digest('hex'),
          ]),
        ),
      )
      const text = files
        .filter((file) => /\.(json|mjs)$/.test(file))
        .map((file) => readFileSync(join(outdir, file), 'utf8'))
      expect(text.length).toBeGreaterThan(10)
      for (const one of text) {
        expect(one.includes(ROOT)).toBe(false)
        expect(one.includes(work)).toBe(false)
      }
    }
    expect(Object.keys(made[0] ?? {}).filter((file) => file.endsWith('.template.json'))).toEqual([
      'weir-data.template.json',
      'weir-pipeline.template.json',
    ])
    expect(made[1]).toEqual(made[0])
  }, 180_000)
})
