// The real program, as a shell runs it: exit codes, what goes to which stream, signals, a closed pipe.

import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { WEIR_VERSION } from '../../lib/version.ts'
import { freshLake, PROGRAM, program, put, tempFolder, weirJson } from './weir.ts'

const HEADER = 'order_id,order_date,customer_email,country,quantity,unit_price\n'

test('init → drop → receipts → rejects → repair → query → retract → reconcile', async () => {
  const folder = await tempFolder()
  const lake = join(folder, 'lake')
  expect(await program(folder, ['init', 'lake'])).toMatchObject({ code: 0, err: '' })
  expect(await program(lake, ['drop', 'samples/orders.csv'])).toMatchObject({ code: 1, err: '' })
  expect((await program(lake, ['rejects', 'orders', '--out', 'orders-mend.csv'])).code).toBe(0)
  const rejected = await readFile(join(lake, 'orders-mend.csv'), 'utf8')
  const mended = rejected.replace(',0,19.90', ',1,19.90').replace(',5 October,', ',2026-10-05,').replace(',XX,', ',DE,')
  expect(mended).not.toBe(rejected)
  await writeFile(join(lake, 'orders-mend.csv'), mended)
  expect((await program(lake, ['drop', 'orders-mend.csv'])).code).toBe(0)
  expect((await program(lake, ['query', 'select count(*) as n from clean.orders', '--csv'])).out).toBe('n\n10\n')
  expect((await program(lake, ['retract', 'orders/orders.csv'])).code).toBe(0)
  expect((await program(lake, ['query', 'select count(*) as n from clean.orders', '--csv'])).out).toBe('n\n2\n')
  expect((await program(lake, ['reconcile'])).code).toBe(0)
})

test('wrong usage, and help', async () => {
  const folder = await tempFolder()
  expect(await program(folder, ['drp'])).toMatchObject({
    code: 3,
    out: '',
    err: expect.stringContaining('Did you mean drop?'),
  })
  expect(await program(folder, ['--version'])).toEqual({ code: 0, out: `${WEIR_VERSION}\n`, err: '' })
})

test('--json: one document on stdout, log lines on stderr', async () => {
  const lake = await freshLake()
  for (const args of [
    ['drop', 'samples/orders.csv'],
    ['rejects', 'orders'],
    ['retract', 'orders/unknown.csv'],
    ['drop'],
  ]) {
    const { out, err } = await program(lake, [...args, '--json'])
    expect(JSON.parse(out), args.join(' ')).toBeTypeOf('object')
    for (const line of err.split('\n').filter(Boolean)) expect(JSON.parse(line)).toHaveProperty('event')
  }
})

test('a reader that leaves early is no fault', async () => {
  const lake = await freshLake()
  const ran = await program(
    lake,
    ['query', "select rpad('x', 300, 'x') as x from unnest(sequence(1, 10000)) as t(n)", '--csv'],
    (child) => {
      child.stdout?.once('data', () => child.stdout?.destroy())
    },
  )
  expect(ran).toMatchObject({ code: 0, err: '' })
})

test('watch takes in what is there, what comes, and ends well on Ctrl-C', async () => {
  const lake = await freshLake()
  await mkdir(join(lake, 'landing/orders'), { recursive: true })
  await put(lake, 'landing/orders/orders_1.csv', `${HEADER}A-0001,2026-10-01,,DE,1,1.00\n`)
  const ran = await program(lake, ['watch', '--json'], (child) => {
    let log = ''
    let put2 = false
    child.stderr?.on('data', async (chunk) => {
      log += chunk
      if (!put2 && log.includes('"event":"watching"')) {
        put2 = true
        await put(
          lake,
          'landing/orders/orders_2.csv',
          `${HEADER}A-0002,2026-10-01,,XX,1,1.00\nA-0003,2026-10-01,,DE,1,1.00\n`,
        )
      }
      // Both files are in curated.orders: the second one came after the first one's run, or with it.
      if (/"event":"run","table":"orders",[^\n]*"total":2/.test(log)) child.kill('SIGINT')
    })
  })
  expect(ran.code).toBe(0)
  expect(JSON.parse(ran.out)).toMatchObject({
    uploads: 2,
    outcomes: { accepted: 1, accepted_with_rejects: 1 },
    faults: 0,
    curated: expect.any(Array),
  })
  for (const table of ['clean.orders', 'curated.orders']) {
    const { document } = await weirJson(lake, ['query', `select order_id from ${table} order by 1`])
    expect(document.rows).toEqual([['A-0001'], ['A-0003']])
  }
  // The page of each is there when the watcher has ended.
  const listed = await weirJson(lake, ['receipts'])
  for (const { upload, dataset, droppedAt } of listed.document.receipts) {
    const page = join(lake, `ops/pages/dataset=${dataset}/date=${droppedAt.slice(0, 10)}/${upload}.html`)
    expect(await readFile(page, 'utf8')).toContain(upload)
  }
})

test('Ctrl-C in the middle of a drop: 130, a word on how to go on, and the next drop heals', async () => {
  const lake = await freshLake()
  const contract = join(lake, 'contracts/orders.yaml')
  await writeFile(contract, (await readFile(contract, 'utf8')).replace(/ +primaryKey.*\n/g, ''))
  const rows = Array.from(
    { length: 400_000 },
    (_, n) => `A-${String(n % 10_000).padStart(4, '0')},2026-10-01,,DE,1,1.00\n`,
  )
  await put(lake, 'orders_big.csv', HEADER + rows.join(''))
  const small = await put(lake, 'orders_small.csv', `${HEADER}A-0001,2026-10-01,,DE,1,1.00\n`)
  const ran = await program(lake, ['drop', small, 'orders_big.csv'], (child) => {
    // The line of the small file is out: the big one is being worked on.
    child.stdout?.once('data', () => child.kill('SIGINT'))
  })
  expect(ran.code).toBe(130)
  expect(ran.err).toContain('The lake is safe')
  expect(ran.err).toContain('weir reconcile')
  const again = await program(lake, ['drop', small, 'orders_big.csv', '--json'])
  expect(JSON.parse(again.out).receipts.map((receipt: { rows: { read: number } }) => receipt.rows.read)).toContain(
    400_000,
  )
  expect((await weirJson(lake, ['reconcile'])).document.faults).toEqual([])
})

// The device that is always full is there on Linux alone.
test.skipIf(!existsSync('/dev/full'))('output that cannot be written is a fault, not a success', async () => {
  const lake = await freshLake()
  const full = openSync('/dev/full', 'w')
  try {
    const ran = spawnSync(process.execPath, [PROGRAM, 'query', 'select 1', '--lake', lake], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    })
    expect(ran.status).toBe(4)
    expect(ran.stderr).toContain('weir: The output could not be written (ENOSPC')
  } finally {
    closeSync(full)
  }
})
