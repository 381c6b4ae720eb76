// What goes wrong, and what the user is told: usage, contracts, settings, and faults of ours.

import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { freshLake, put, tempFolder, weir, weirJson } from './weir.ts'

test('options that exclude each other, and usage errors as JSON', async () => {
  const { code, document } = await weirJson(await tempFolder(), ['receipt', 'x', '--html'])
  expect(code).toBe(3)
  expect(document.error.message).toContain('cannot be used with')
})

describe('wrong usage ends with 3 and a word on stderr', () => {
  test.each([
    [['drp'], "unknown command 'drp'"],
    [['drop'], "missing required argument 'file'"],
    [['drop', '--nope', 'x'], "unknown option '--nope'"],
    [['receipts', '--outcome', 'fine'], 'Allowed choices are'],
    [['receipts', '--since', 'yesterday'], 'Give a date'],
    [['receipts'], 'No lake here'],
    [['receipts', '--lake', 'nowhere'], 'is not a lake'],
    [[], 'Usage: weir'],
  ])('%j', async (args, words) => {
    const ran = await weir(await tempFolder(), args)
    expect(ran).toMatchObject({ code: 3, err: expect.stringContaining(words) })
    expect(ran.out).toBe('')
  })
})

test('help and version go to stdout and end with 0', async () => {
  const folder = await tempFolder()
  const help = await weir(folder, ['help', 'drop'])
  expect(help).toMatchObject({ code: 0, err: '' })
  expect(help.out).toContain('Examples:\n  $ weir drop orders_2026-10.csv')
  expect((await weir(folder, ['drop', '--help'])).out).toBe(help.out)
})

test('an unknown dataset lists the known ones; a file that fits no contract says what to do', async () => {
  const lake = await freshLake()
  await put(lake, 'x.csv', 'a\n1\n')
  expect(await weir(lake, ['drop', 'x.csv', '--dataset', 'order'])).toMatchObject({
    code: 3,
    err: expect.stringContaining('Known datasets: orders.'),
  })
  expect((await weir(lake, ['drop', 'x.csv'])).err).toContain('--dataset')
})

test('a broken contract stops with file, path and what is allowed', async () => {
  const lake = await freshLake()
  const contract = join(lake, 'contracts/orders.yaml')
  await writeFile(contract, (await readFile(contract, 'utf8')).replace('logicalType: date', 'logicalType: day'))
  const dropped = await weir(lake, ['drop', 'samples/orders.csv'])
  expect(dropped.code).toBe(3)
  expect(dropped.err).toMatch(/orders\.yaml:\d+ schema\[0\]\.properties\[1\]\.logicalType/)
  const json = JSON.parse((await weir(lake, ['drop', 'samples/orders.csv', '--json'])).out)
  expect(json.error).toMatchObject({
    name: 'ContractError',
    exitCode: 3,
    issues: [{ file: 'orders.yaml', found: '"day"' }],
  })
  const lint = await weir(lake, ['lint'])
  expect(lint).toMatchObject({ code: 3, out: expect.stringContaining('schema[0].properties[1].logicalType') })
})

test('lint says by name what could not be deployed to AWS', async () => {
  const lake = await freshLake()
  const contract = join(lake, 'contracts/orders.yaml')
  const text = await readFile(contract, 'utf8')
  expect((await weir(lake, ['lint'])).out).not.toContain('AWS')
  const properties = '[{ name: zip code, logicalType: string }]'
  await writeFile(
    contract,
    text.replace(
      /^( *)properties:\n/m,
      (line, indent) => `${line}${indent}  - { name: place, logicalType: object, properties: ${properties} }\n`,
    ),
  )
  expect(await weir(lake, ['lint'])).toMatchObject({
    code: 0,
    out: expect.stringMatching(
      /cannot be deployed to AWS\. Column "place" of clean\.orders: .*the inner name "zip code"/,
    ),
  })
})

test('a setting that weir.yaml does not know is an error that names the known ones', async () => {
  const lake = await freshLake()
  await writeFile(join(lake, 'weir.yaml'), 'memry: 1GB\n')
  const ran = await weir(lake, ['receipts'])
  expect(ran).toMatchObject({ code: 3, err: expect.stringMatching(/memry.*memory/) })
})

test('a fault of ours ends with 4, says that the state is safe and how to go on', async () => {
  const lake = await freshLake()
  await rm(join(lake, '.weir'), { recursive: true })
  await writeFile(join(lake, '.weir'), 'not a folder')
  const ran = await weir(lake, ['drop', 'samples/orders.csv'])
  expect(ran.code).toBe(4)
  expect(ran.err).toContain('weir reconcile')
  expect(ran.err).not.toMatch(/^\s+at /m)
  const { code, document } = await weirJson(lake, ['drop', 'samples/orders.csv'])
  expect(code).toBe(4)
  expect(document.error.exitCode).toBe(4)
  // What changes nothing works also where the lake cannot be written to.
  expect((await weir(lake, ['check', 'samples/orders.csv'])).code).toBe(1)

  await rm(join(lake, '.weir'))
  expect((await weir(lake, ['drop', 'samples/orders.csv'])).code).toBe(1)
})

test('the command alone is wrong usage, also for machines', async () => {
  const folder = await tempFolder()
  expect(await weir(folder, [])).toMatchObject({ code: 3, err: expect.stringContaining('Commands:') })
  const { code, document } = await weirJson(folder, [])
  expect(code).toBe(3)
  expect(document.error.message).toContain('Which command?')
})

test('--lake and --json may also stand before the command', async () => {
  const lake = await freshLake()
  const { code, out } = await weir(await tempFolder(), ['--lake', lake, '--json', 'receipts'])
  expect(code).toBe(0)
  expect(JSON.parse(out)).toEqual({ receipts: [], total: 0 })
})

test('--contract checks without a lake', async () => {
  const lake = await freshLake()
  const folder = await tempFolder()
  const file = await put(folder, 'x.csv', await readFile(join(lake, 'samples/orders.csv')))
  const ran = await weir(folder, ['check', file, '--contract', join(lake, 'contracts/orders.yaml'), '--html', 'p.html'])
  expect(ran.code).toBe(1)
  expect(await readFile(join(folder, 'p.html'), 'utf8')).toContain('Preview: nothing was published')
})

test('a folder, or a place that cannot be written, is said to be one', async () => {
  const lake = await freshLake()
  expect((await weir(lake, ['drop', 'samples'])).err).toContain('is a folder. Name the files in it: samples/*')
  const ran = await weir(lake, ['query', 'select 1', '--out', 'no/such/folder/q.csv'])
  expect(ran).toMatchObject({ code: 3, err: expect.stringContaining('cannot be written') })
})
