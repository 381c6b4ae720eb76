// How long an uploader waits: from the moment a small file is put until its receipt can be read, on the emulator.
//   npm run bench:receipt            median of 30, after a few that are not counted
//   npm run bench:receipt -- 100     median of 100
//
// It starts an emulator of its own (or takes the one that AWS_ENDPOINT_URL points at), deploys a lake with one dataset, and
// drops one file after the other by the S3 API, as any program would. Exit code 77: no emulator can run here.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { GetObjectCommand, HeadObjectCommand, NoSuchKey, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { openS3 } from '../lib/lake/aws/clients.ts'
import type { Deployed } from '../lib/lake/aws/deployed.ts'
import { receiptKey, uploadId } from '../lib/lake/keys.ts'
import { type Receipt, receiptSchema } from '../lib/lake/receipt.ts'
import { exitCodeOf, startEmulator } from '../scripts/emulator.ts'
import { deployLocally } from '../scripts/local-deploy.ts'
import { median } from './measure.ts'

const RUNS = Number(process.argv[2] ?? 30)
/** Enough that every process which will answer has started. */
const WARM_UP = 8
const LOOK_EVERY_MS = 20
const PATIENCE_MS = 60_000
const ROWS = 100

const CONTRACT = `apiVersion: v3.1.0
kind: DataContract
id: orders
version: "1.0.0"
status: active
schema:
  - name: orders
    logicalType: object
    properties:
      - { name: order_id, logicalType: integer, required: true, primaryKey: true }
      - { name: product, logicalType: string }
      - { name: amount, logicalType: number, physicalType: "decimal(10,2)", required: true }
      - { name: day, logicalType: date }
`

function fileOf(run: number): string {
  const rows = Array.from({ length: ROWS }, (_, row) => `${run * ROWS + row},apple,${row}.50,2026-11-02`)
  return `order_id,product,amount,day\n${rows.join('\n')}\n`
}

interface Waited {
  /** From before the file was put until its receipt was read. */
  ms: number
  receipt: Receipt
}

async function dropAndWait(s3: S3Client, { buckets }: Deployed, run: number): Promise<Waited> {
  const source = `orders/run-${run}.csv`
  const file = { Bucket: buckets.landing, Key: source }
  const start = performance.now()
  const { VersionId = '' } = await s3.send(new PutObjectCommand({ ...file, Body: fileOf(run) }))
  const { LastModified } = await s3.send(new HeadObjectCommand({ ...file, VersionId }))
  if (VersionId === '' || !LastModified) throw new Error('The landing bucket keeps no versions.')
  const Key = receiptKey('orders', uploadId(source, { version: VersionId, modified: LastModified }))
  while (performance.now() - start < PATIENCE_MS) {
    try {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: buckets.ops, Key }))
      const ms = performance.now() - start
      const receipt = receiptSchema.parse(JSON.parse((await Body?.transformToString()) ?? ''))
      if (receipt.rows.accepted !== ROWS)
        throw new Error(`${source} was ${receipt.outcome}: ${receipt.reason?.message}`)
      return { ms, receipt }
    } catch (error) {
      if (!(error instanceof NoSuchKey)) throw error
      await sleep(LOOK_EVERY_MS)
    }
  }
  throw new Error(`${source} has no receipt after ${PATIENCE_MS / 1000} s.`)
}

function tell(what: string, times: number[]): void {
  const [least, most] = [Math.min(...times), Math.max(...times)].map(Math.round)
  console.log(`${what}: median of ${times.length} ${Math.round(median(times))} ms (${least} to ${most})`)
}

async function main(): Promise<void> {
  const say = (line: string) => process.stderr.write(`${line}\n`)
  const emulator = await startEmulator({ log: say })
  const folder = await mkdtemp(join(tmpdir(), 'weir-receipts-'))
  try {
    await mkdir(join(folder, 'contracts'))
    await writeFile(join(folder, 'contracts', 'orders.yaml'), CONTRACT)
    await writeFile(join(folder, 'weir.yaml'), `environment: bench-${Date.now().toString(36)}\n`)
    say('Deploying a lake with one dataset …')
    const deployed = await deployLocally({
      lake: folder,
      env: emulator.env,
      work: join(folder, 'deploy'),
      log: () => {},
    })
    Object.assign(process.env, emulator.env)
    const s3 = openS3({ region: deployed.region })
    for (let run = 0; run < WARM_UP; run++) await dropAndWait(s3, deployed, run)
    const waits: Waited[] = []
    for (let run = 0; run < RUNS; run++) waits.push(await dropAndWait(s3, deployed, WARM_UP + run))
    s3.destroy()
    tell(
      'drop to receipt, warm',
      waits.map(({ ms }) => ms),
    )
    tell(
      'of that inside ingest',
      waits.map(({ receipt }) => receipt.timings.total ?? Number.NaN),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
    await emulator.stop()
  }
}

process.exitCode = await exitCodeOf(main)
