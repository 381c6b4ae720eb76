// What the command line does about a deployed lake, as far as that can be told without one: where it looks, what it waits for,
// and what it says when it cannot get there. test/emulator has the rest.

import { spawn } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { dollars } from '../../lib/cli/commands/query.ts'
import { contractsOfAnswer } from '../../lib/cli/deployed.ts'
import { describeError, exitCodeOf, isDenied, NoReceiptYet } from '../../lib/cli/errors.ts'
import { AccessDenied, CredentialsError, LakeNotDeployed, Unreachable } from '../../lib/lake/aws/errors.ts'
import { openLocalLake } from '../../lib/lake/local/lake.ts'
import { awaitReceipts, type Delivered, deliver, replacedBy } from '../../lib/pipeline/deliver.ts'
import { PipelineFault } from '../../lib/pipeline/errors.ts'
import { freshLake, PROGRAM, put, type Ran, tempFolder, weir } from './weir.ts'

const HEADER = 'order_id,order_date,customer_email,country,quantity,unit_price\n'
const WITHOUT_AWS = {
  PATH: process.env.PATH,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_REGION: 'us-east-1',
  AWS_CONFIG_FILE: 'none',
  AWS_SHARED_CREDENTIALS_FILE: 'none',
}

/** The program in an environment of its own, where the SDK looks. */
function run(cwd: string, args: string[], env: Record<string, string | undefined> = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], {
      cwd,
      env: { ...WITHOUT_AWS, HOME: cwd, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => {
      out += chunk
    })
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
  })
}

describe('which lake is meant', () => {
  test('--lake aws:<environment>, and target: aws in weir.yaml', async () => {
    const lake = await freshLake()
    const words = 'There are no AWS credentials here. Log in'
    expect(await run(lake, ['receipts', '--lake', 'aws:weir'])).toMatchObject({
      code: 3,
      out: '',
      err: expect.stringContaining(words),
    })
    await writeFile(join(lake, 'weir.yaml'), 'target: aws\nenvironment: weir-test\n')
    expect(await run(lake, ['receipts'])).toMatchObject({ code: 3, err: expect.stringContaining(words) })
    // What is about files here needs nobody's leave.
    expect((await run(lake, ['lint'])).code).toBe(0)
  })

  test('one line on stderr, and one document with --json', async () => {
    const ran = await run(await tempFolder(), ['status', '--lake', 'aws:weir'])
    expect(ran.err.trim().split('\n')).toHaveLength(1)
    const json = await run(await tempFolder(), ['status', '--lake', 'aws:weir', '--json'])
    expect(JSON.parse(json.out).error).toMatchObject({ name: 'CredentialsError', exitCode: 3 })
  })

  test.each([
    [['receipts', '--lake', 'aws:Weir!'], 'names no environment'],
    [['lint', '--lake', 'aws:weir'], 'lie in a folder'],
    [['init', '--lake', 'aws:weir'], 'made by deploying'],
  ])('%j says what is wrong with it', async (args, words) => {
    expect(await weir(await tempFolder(), args)).toMatchObject({ code: 3, err: expect.stringContaining(words) })
  })
})

describe('errors of the account are told as they are', () => {
  test.each([
    [new CredentialsError('The AWS login has expired.'), 3],
    [new AccessDenied('You may not.'), 3],
    [new LakeNotDeployed('No lake.'), 3],
    [new Unreachable('No connection.'), 4],
  ])('%s → %i, also out of the middle of the work', (error, code) => {
    expect(exitCodeOf(error)).toBe(code)
    const wrapped = new PipelineFault('orders/x.csv', error)
    expect(describeError(wrapped, {}).error).toMatchObject({ name: error.name, message: error.message, exitCode: code })
    expect(isDenied(wrapped)).toBe(error.name === 'AccessDenied')
  })

  test('a fault of AWS does not speak of disks', () => {
    const error = Object.assign(new Error('Could not read s3://b/k: AWS answered InternalError'), {
      name: 'StorageError',
    })
    expect(describeError(error, {}).error.advice).not.toContain('disk')
  })
})

describe('the contracts function', () => {
  const lake = {
    environment: 'weir',
    functions: {
      ingest: 'weir-ingest',
      reconcile: 'weir-reconcile',
      contracts: 'weir-contracts',
      curate: 'weir-curate',
    },
  }

  test('hands out contracts and the version', async () => {
    const text = await readFile(join(await freshLake(), 'contracts/orders.yaml'), 'utf8')
    const found = contractsOfAnswer(
      JSON.stringify({ files: [{ name: 'orders.yaml', text }], version: '0.1.0' }),
      undefined,
      lake,
    )
    expect([...found.plans.keys()]).toEqual(['orders'])
    expect(found).toMatchObject({ version: '0.1.0', models: [] })
    const models = [{ name: 'daily.sql', text: 'SELECT 1 AS n' }]
    const answer = JSON.stringify({ files: [{ name: 'orders.yaml', text }], models, version: '0.1.0' })
    expect(contractsOfAnswer(answer, undefined, lake).models).toEqual(models)
  })

  test.each([
    ['{"errorMessage":"no such folder"}', 'Unhandled', 'it failed: no such folder'],
    ['', 'Unhandled', 'it failed: without a word'],
    ['"mock_value"', undefined, 'its answer is no list of contracts'],
    ['', undefined, 'its answer is no list of contracts'],
  ])('%j (%s)', (text, failed, words) => {
    expect(() => contractsOfAnswer(text, failed, lake)).toThrow(words)
    expect(() => contractsOfAnswer(text, failed, lake)).toThrow('npx cdk deploy --all')
  })
})

describe('putting a file and waiting for the receipt that somebody else writes', () => {
  async function lakeWith(files: Record<string, string>): Promise<{ lake: string; paths: string[] }> {
    const lake = await freshLake()
    const paths: string[] = []
    for (const [name, text] of Object.entries(files)) paths.push(await put(lake, name, text))
    return { lake, paths }
  }

  test('each gets its own, whoever works on them, and however long it takes', async () => {
    const { lake, paths } = await lakeWith({
      'orders_1.csv': `${HEADER}A-0001,2026-10-01,,DE,1,1.00\n`,
      'orders_2.csv': `${HEADER}A-0002,2026-10-01,,XX,1,1.00\n`,
    })
    const opened = await openLocalLake(lake)
    onTestFinished(() => opened.close())
    const put: Delivered[] = []
    for (const path of paths) put.push(await deliver(opened, { dataset: 'orders', path }))
    expect(put.map(({ source }) => source)).toEqual(['orders/orders_1.csv', 'orders/orders_2.csv'])
    const waiting = awaitReceipts(opened, put, {
      timeoutMs: 60_000,
      onReceipt: (receipt, one) => got.push([one.source, receipt.outcome]),
    })
    const got: string[][] = []
    expect((await weir(lake, ['reconcile'])).code).toBe(0)
    expect(await waiting).toEqual([])
    expect(got.sort()).toEqual([
      ['orders/orders_1.csv', 'accepted'],
      ['orders/orders_2.csv', 'accepted_with_rejects'],
    ])
  })

  test('an id is known by its end: also where the store has another time than we', async () => {
    const { lake, paths } = await lakeWith({ 'orders_1.csv': `${HEADER}A-0001,2026-10-01,,DE,1,1.00\n` })
    const opened = await openLocalLake(lake)
    onTestFinished(() => opened.close())
    const delivered = await deliver(opened, { dataset: 'orders', path: paths[0] ?? '' })
    await weir(lake, ['reconcile'])
    const hoursAhead = { ...delivered, since: new Date(delivered.since.getTime() + 6 * 3_600_000) }
    expect(await awaitReceipts(opened, [hoursAhead], { timeoutMs: 0 })).toEqual([])
    const unknown = { ...delivered, hash: '000000000000' }
    expect(await awaitReceipts(opened, [unknown], { timeoutMs: 0 })).toEqual([unknown])
  })

  test('a version that was replaced before the lake got to it: the other one has the receipt', async () => {
    const { lake, paths } = await lakeWith({ 'orders_1.csv': `${HEADER}A-0001,2026-10-01,,DE,1,1.00\n` })
    const opened = await openLocalLake(lake)
    onTestFinished(() => opened.close())
    const [path = ''] = paths
    const first = await deliver(opened, { dataset: 'orders', path })
    await writeFile(path, `${HEADER}A-0002,2026-10-01,,DE,1,1.00\n`)
    const second = await deliver(opened, { dataset: 'orders', path })
    expect(first.hash).not.toBe(second.hash)
    await weir(lake, ['reconcile'])
    expect(await awaitReceipts(opened, [first, second], { timeoutMs: 0 })).toEqual([first])
    const replaced = await replacedBy(opened, [first])
    expect(replaced.get(first)?.version).toBe(second.version)
    const said = new NoReceiptYet([{ ...first, replacedBy: replaced.get(first)?.upload }], 1)
    expect(said.message).toMatch(/another version came since: see weir receipt 20\d+T\d+Z-[0-9a-f]{12}/)
  })

  test('Ctrl-C ends the waiting', async () => {
    const { lake, paths } = await lakeWith({ 'orders_1.csv': HEADER })
    const opened = await openLocalLake(lake)
    onTestFinished(() => opened.close())
    const delivered = await deliver(opened, { dataset: 'orders', path: paths[0] ?? '' })
    const stop = new AbortController()
    const waiting = awaitReceipts(opened, [delivered], { timeoutMs: 60_000, signal: stop.signal })
    stop.abort()
    await expect(waiting).rejects.toThrow()
  })

  test('what is no file is refused before anything is put', async () => {
    const lake = await freshLake()
    await mkdir(join(lake, 'folder'))
    const opened = await openLocalLake(lake)
    onTestFinished(() => opened.close())
    await expect(deliver(opened, { dataset: 'orders', path: join(lake, 'folder') })).rejects.toThrow('is a folder')
  })

  test('after the time is over, what is known is said', () => {
    const error = new NoReceiptYet(
      [{ dataset: 'orders', source: 'orders/a.csv', hash: '0123456789ab' }],
      300,
      'aws:weir',
    )
    expect(describeError(error, {}).error).toMatchObject({
      exitCode: 4,
      message:
        'No receipt yet after 300 s for this file, which lies safely in landing:\n  orders/a.csv (its upload id ends in 0123456789ab)',
      advice: expect.stringContaining('weir receipt 0123456789ab --dataset orders --lake aws:weir'),
    })
  })
})

test.each([
  [0, '0'],
  [0.00005, '0.00005'],
  [0.0000476, '0.000048'],
  [0.5, '0.50'],
  [12, '12.00'],
])('%f dollars are shown as %s', (amount, words) => expect(dollars(amount)).toBe(words))
