// How long the ingest function takes from a fresh process to its first byte of work: node bench/cold-start.ts [runs]
//
// It takes the very bundle that is deployed, starts a process for each run, gives it one event, and answers in the place
// of AWS: the clock stops when the first request about the upload arrives, after which all waiting is for AWS. A second
// figure stops when the engine (DuckDB) is ready for the file, which needs it only then.

import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundle } from '../lib/infra/bundle.ts'
import { readLakeToDeploy } from '../lib/infra/lake.ts'
import { type Deployed, deployedSchema } from '../lib/lake/aws/deployed.ts'
import { median } from './measure.ts'

const ROOT = resolve(import.meta.dirname, '..')
const RUNS = Number(process.argv[2] ?? 20)

const deployed: Deployed = deployedSchema.parse({
  format: 'weir.deployed/1',
  environment: 'weir',
  partition: 'aws',
  region: 'us-east-1',
  account: '000000000000',
  buckets: { landing: 'weir-landing', clean: 'weir-clean', curated: 'weir-curated', ops: 'weir-ops' },
  databases: { clean: 'weir_clean', curated: 'weir_curated', ops: 'weir_ops' },
  workgroups: { analysts: 'weir-analysts', pipeline: 'weir-pipeline' },
  queues: { ingest: 'http://127.0.0.1/ingest', deadLetters: 'http://127.0.0.1/dead' },
  functions: { ingest: 'weir-ingest', reconcile: 'weir-reconcile', contracts: 'weir-contracts' },
  eventBus: 'weir-events',
  maxObjectBytes: 1e9,
})

/** What Lambda's own bootstrap does, as far as it costs: import the module, call its handler. */
const BOOTSTRAP = `
const { handler } = await import(process.env.WEIR_BENCH_MODULE)
await handler(JSON.parse(process.env.WEIR_BENCH_EVENT), {
  getRemainingTimeInMillis: () => 900000, awsRequestId: 'bench', functionName: 'weir-ingest', functionVersion: '1',
  memoryLimitInMB: '3008', invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:weir-ingest',
})
`

/** DuckDB as the bundle loads it. */
const ENGINE = `
const { DuckDBInstance } = await import('@duckdb/node-api')
const instance = await DuckDBInstance.create(':memory:')
await instance.connect()
await fetch(process.env.AWS_ENDPOINT_URL)
`

function eventOf(key: string): object {
  const event = {
    source: 'aws.s3',
    'detail-type': 'Object Created',
    detail: { bucket: { name: 'weir-landing' }, object: { key, size: 1000 } },
  }
  return { Records: [{ messageId: 'bench', body: JSON.stringify(event), attributes: {}, eventSource: 'aws:sqs' }] }
}

/** Milliseconds from starting a process until the server hears from it. */
async function firstRequest(server: Server, script: string, env: NodeJS.ProcessEnv): Promise<number> {
  const start = performance.now()
  const child = spawn(process.execPath, [script], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (piece) => {
    errors += piece
  })
  const ended = new Promise<void>((done) => child.once('close', () => done()))
  try {
    return await new Promise<number>((done, fail) => {
      server.once('request', () => done(performance.now() - start))
      void ended.then(() => fail(new Error(`The function ended without a request.\n${errors.slice(-2000)}`)))
    })
  } finally {
    server.removeAllListeners('request')
    child.kill('SIGKILL')
    await ended
  }
}

const folder = await mkdtemp(join(tmpdir(), 'weir-cold-'))
const server = createServer()
await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
try {
  const lake = await readLakeToDeploy(ROOT)
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64'
  const code = await bundle({ zip: 'workers', architecture, lake, to: join(folder, 'code') })
  const [plan] = lake.plans
  if (!plan) throw new Error('There is no contract, so nothing to ingest.')
  const env = {
    PATH: process.env.PATH,
    WEIR_DEPLOYED: JSON.stringify(deployed),
    WEIR_BENCH_MODULE: pathToFileURL(join(code, 'ingest.mjs')).href,
    WEIR_BENCH_EVENT: JSON.stringify(eventOf(`${plan.dataset}/bench.csv`)),
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '3008',
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  const [bootstrap, engine] = [join(code, 'bootstrap.mjs'), join(code, 'engine.mjs')]
  await writeFile(bootstrap, BOOTSTRAP)
  await writeFile(engine, ENGINE)
  const cases = [
    { what: 'first request about the upload', script: bootstrap, env },
    { what: 'the same, with X-Ray', script: bootstrap, env: { ...env, AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:2000' } },
    { what: 'DuckDB alone, loaded and open', script: engine, env },
  ]
  for (const { what, script, env: given } of cases) {
    await firstRequest(server, script, given)
    const times: number[] = []
    for (let run = 0; run < RUNS; run++) times.push(await firstRequest(server, script, given))
    const [least, most] = [Math.min(...times), Math.max(...times)].map(Math.round)
    console.log(`${what}: median of ${RUNS} ${Math.round(median(times))} ms (${least} to ${most})`)
  }
} finally {
  server.close()
  server.closeAllConnections()
  await rm(folder, { recursive: true, force: true })
}
