// The code of a function as Lambda gets it: one bundled module, the contracts and settings it was deployed with, and the
// DuckDB binary of the machine it will run on. Same inputs, same bytes, wherever it is made.

import { existsSync } from 'node:fs'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { build } from 'esbuild'
import { parse } from 'yaml'
import { contractsIndex, indexContracts } from '../contract/read.ts'
import { curatedIndex } from '../lake/aws/curated-index.ts'
import { type Architecture, packageOf, targetBinaries } from './binaries.ts'
import { BundleFailed } from './errors.ts'
import type { LakeToDeploy } from './lake.ts'

const ROOT = resolve(import.meta.dirname, '../..')

export type FunctionName = 'ingest' | 'reconcile' | 'curate' | 'contracts'

/** Functions that share their code are one zip: what reads files carries DuckDB, which is nearly all of it. */
export const ZIPS = { workers: ['ingest', 'reconcile', 'curate'], answers: ['contracts'] } as const satisfies Record<
  string,
  readonly FunctionName[]
>
export type ZipName = keyof typeof ZIPS

export interface BundleRequest {
  zip: ZipName
  architecture: Architecture
  lake: Pick<LakeToDeploy, 'contracts' | 'settings' | 'models' | 'curated'>
  /** Folder to make. */
  to: string
}

/** Makes the folder that becomes a zip: `<function>.mjs` for each function, and what they need. */
export async function bundle(request: BundleRequest): Promise<string> {
  const entries = ZIPS[request.zip].map((name) => ({ name, file: `lambdas/${name}/handler.ts` }))
  for (const { file } of entries)
    if (!existsSync(join(ROOT, file))) throw new BundleFailed(`${file} is not there, so the function has no code.`)
  const what = entries.map(({ file }) => file).join(' and ')
  await mkdir(request.to, { recursive: true })
  const result = await build({
    entryPoints: entries.map(({ name, file }) => ({ in: join(ROOT, file), out: name })),
    outdir: request.to,
    chunkNames: 'part-[hash]',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What a function loads when it needs it (the engine, the tracer) is a part of its own: it starts without.
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    mainFields: ['module', 'main'],
    external: ['@duckdb/*'],
    // Paths in the output are relative to this: nothing of the machine gets in.
    absWorkingDir: ROOT,
    // Names stay, so that errors read well; the rest goes, for a quicker start.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    charset: 'utf8',
    // Some packages inside are CommonJS and ask for Node's own modules by require.
    banner: { js: "import{createRequire as weirRequire}from'node:module';const require=weirRequire(import.meta.url);" },
    logLevel: 'silent',
  }).catch((cause: unknown) => {
    throw new BundleFailed(`${what} cannot be bundled: ${String(cause)}`, { cause })
  })
  if (result.warnings.length > 0)
    throw new BundleFailed(`${what}: bundled with warnings: ${result.warnings.map(({ text }) => text).join('; ')}`)
  await writeLake(request)
  if (request.zip === 'workers') {
    await copyDuckdb(request)
    // Found beside the code that runs it. What asks Athena reads SQL with it.
    await cp(join(ROOT, SQL_PARSER), join(request.to, basename(SQL_PARSER)))
  }
  return request.to
}

const SQL_PARSER = 'node_modules/@polyglot-sql/sdk/dist/polyglot_sql.wasm'

/** The function finds beside it what it needs of its lake: weir.yaml, contracts/ and models/. */
async function writeLake({ lake, to }: BundleRequest): Promise<void> {
  const settings = (lake.settings === undefined ? undefined : parse(lake.settings)) as Record<string, unknown> | null
  // JSON is YAML. Contracts and models are at their default place here, wherever the lake's folder has them.
  const here = { ...settings, contracts: 'contracts', models: 'models' }
  await writeFile(join(to, 'weir.yaml'), `${JSON.stringify(here, null, 2)}\n`)
  for (const [folder, files] of [
    ['contracts', lake.contracts],
    ['models', lake.models.files],
  ] as const)
    for (const { name, text } of files) {
      const file = join(to, folder, name)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text)
    }
  await writeFile(curatedIndex(to), `${JSON.stringify(lake.curated, null, 2)}\n`)
  await writeFile(contractsIndex(join(to, 'contracts')), `${JSON.stringify(indexContracts(lake.contracts), null, 2)}\n`)
}

async function copyDuckdb({ architecture, to }: BundleRequest): Promise<void> {
  const from: [string, string][] = [
    ['@duckdb/node-api', join(ROOT, 'node_modules/@duckdb/node-api')],
    ['@duckdb/node-bindings', join(ROOT, 'node_modules/@duckdb/node-bindings')],
    [packageOf(architecture), await targetBinaries(architecture)],
  ]
  for (const [name, folder] of from)
    await cp(folder, join(to, 'node_modules', name), {
      recursive: true,
      filter: (path) => !/\.(d\.ts|map|md)$/.test(path),
    })
}
