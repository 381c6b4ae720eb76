// The small parts of the command line.

import { PassThrough } from 'node:stream'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { parseAsOf } from '../../lib/cli/as-of.ts'
import { parseCsv, toCsv } from '../../lib/cli/csv.ts'
import { describeError, exitCodeOf } from '../../lib/cli/errors.ts'
import { paintFor } from '../../lib/cli/io.ts'
import { keyOf } from '../../lib/cli/landing-events.ts'
import { worst } from '../../lib/cli/outcomes.ts'
import { startProgress, startWork } from '../../lib/cli/progress.ts'
import { parseSince } from '../../lib/cli/since.ts'
import { pathOf } from '../../lib/lake/local/paths.ts'
import { colours, plain } from '../../lib/lake/render/paint.ts'

const cell = fc.option(fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r', ' ', "'", 'é', ';', '=') }))

describe('CSV', () => {
  test('what is written is read again, nulls apart from empty texts', () => {
    const rows = fc
      .integer({ min: 1, max: 4 })
      .chain((width) => fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1 }))
    fc.assert(
      fc.property(rows, (table) => {
        // One empty cell alone is a blank line; repair files always have more columns.
        fc.pre(table.every((row) => row.length > 1 || row[0] !== null))
        expect(parseCsv(toCsv(table))).toEqual(table)
      }),
    )
  })

  test('others read it alike', () => {
    fc.assert(
      fc.property(fc.array(fc.array(cell, { minLength: 3, maxLength: 3 }), { minLength: 1 }), (table) => {
        const read = parse(toCsv(table), { record_delimiter: '\n' }) as string[][]
        expect(read).toEqual(table.map((row) => row.map((value) => value ?? '')))
      }),
    )
  })

  test('reads files with a byte order mark, CRLF, and no last line break', () => {
    expect(parseCsv('\ufeffa,b\r\n1,\r\n,"x ""y""\r\nz"')).toEqual([
      ['a', 'b'],
      ['1', null],
      [null, 'x "y"\r\nz'],
    ])
  })
})

describe('--since', () => {
  const now = Date.UTC(2026, 10, 22, 12)
  test.each([
    ['2h', '2026-11-22T10:00:00.000Z'],
    ['3d', '2026-11-19T12:00:00.000Z'],
    ['1w', '2026-11-15T12:00:00.000Z'],
    ['2026-11-01', '2026-11-01T00:00:00.000Z'],
    ['2026-11-01T08:30', '2026-11-01T08:30:00.000Z'],
    ['2026-11-01T08:30:15+02:00', '2026-11-01T06:30:15.000Z'],
  ])('%s', (text, iso) => expect(parseSince(text, now).toISOString()).toBe(iso))

  test.each(['yesterday', '2026-13-01', '2026-02-30T25:00', '2026-02-30', '5', '', '2h ago'])('refuses %j', (text) => {
    expect(() => parseSince(text, now)).toThrow('Give a date')
  })
})

describe('--as-of', () => {
  const now = Date.UTC(2026, 10, 22, 12)
  test.each([
    ['2h', '2026-11-22T10:00:00.000Z'],
    ['2026-11-22', '2026-11-22T00:00:00.000Z'],
    ['2026-11-22 08:30', '2026-11-22T08:30:00.000Z'],
    ['2026-11-22T08:30+02:00', '2026-11-22T06:30:00.000Z'],
  ])('%s is a moment', (text, iso) => expect(parseAsOf(text, now)).toEqual(new Date(iso)))

  test.each(['20261122T080102345Z-0123456789ab', '20261122T08', '20261122', '0123456789ab', '20261122T080102345Z-01'])(
    '%s is a run',
    (run) => expect(parseAsOf(run, now)).toEqual({ run }),
  )

  test('neither, and a moment that has not come', () => {
    for (const text of ['yesterday', '', 'latest', '2026-02-30'])
      expect(() => parseAsOf(text, now)).toThrow('or the id of a run (weir runs lists them)')
    expect(() => parseAsOf('2026-11-22T14:00+01:00', now)).toThrow('2026-11-22T13:00:00.000Z has not come yet')
  })
})

describe('errors', () => {
  test('those that the user can mend are 3, all others 4', () => {
    const named = (name: string) => Object.assign(new Error('x'), { name })
    for (const name of [
      'UsageError',
      'ContractError',
      'ConfigError',
      'UnknownDataset',
      'UnknownSource',
      'CannotDrop',
      'InvalidKey',
      'QueryError',
    ])
      expect(exitCodeOf(named(name))).toBe(3)
    for (const name of ['StorageError', 'PipelineFault', 'EngineFault', 'TypeError'])
      expect(exitCodeOf(named(name))).toBe(4)
    expect(exitCodeOf('a text')).toBe(4)
  })

  test('a fault says how to go on; the stack only where it is asked for', () => {
    const storage = Object.assign(new Error('The disk is full.'), { name: 'StorageError' })
    expect(describeError(storage, {}).error.advice).toContain('make sure that the disk has room')
    expect(describeError(storage, {}).error.stack).toBeUndefined()
    expect(describeError(storage, { WEIR_DEBUG: '1' }).error.stack).toContain('The disk is full.')
    const full = Object.assign(new Error('ENOSPC: no space left. Run "weir reconcile".'), { name: 'PipelineFault' })
    expect(describeError(full, {}).error.advice).toBe(
      'The disk is full: make room on it first. If it happens again, WEIR_DEBUG=1 shows where.',
    )
    expect(describeError(new TypeError('x'), {}).error.advice).toContain('The state is safe')
  })
})

test('of several exit codes the worst', () => {
  expect(worst([0, 2, 1])).toBe(2)
  expect(worst([])).toBe(0)
})

test('landing keys come back from their paths, also very long ones', () => {
  for (const key of ['orders/a.csv', 'orders/2026/10/ä b+%.csv', `orders/${'x'.repeat(700)}.csv`])
    expect(keyOf('/lake/landing', pathOf('/lake/landing', key))).toBe(key)
})

test('colour only on a terminal, and as NO_COLOR and FORCE_COLOR say', () => {
  const io = (isTTY: boolean, env: Record<string, string>) => ({
    stdout: Object.assign(new PassThrough(), { isTTY }),
    stderr: new PassThrough(),
    cwd: '.',
    env,
    signal: new AbortController().signal,
  })
  expect(paintFor(io(true, {}))).toBe(colours)
  expect(paintFor(io(false, {}))).toBe(plain)
  expect(paintFor(io(true, { NO_COLOR: '1' }))).toBe(plain)
  expect(paintFor(io(true, { TERM: 'dumb' }))).toBe(plain)
  expect(paintFor(io(false, { FORCE_COLOR: '1' }))).toBe(colours)
  expect(paintFor(io(true, { FORCE_COLOR: '0' }))).toBe(plain)
})

describe('the progress bar', () => {
  function progressOn(isTTY: boolean, json = false) {
    // As cli-progress needs of a terminal.
    const stderr = Object.assign(new PassThrough(), {
      isTTY,
      columns: 80,
      cursorTo() {},
      clearLine() {},
      moveCursor() {},
      clearScreenDown() {},
    })
    const io = { stdout: new PassThrough(), stderr, cwd: '.', env: {}, signal: new AbortController().signal }
    let now = 0
    const progress = startProgress({ json, io }, 'orders.csv', () => now)
    return {
      stderr,
      progress,
      at: (time: number) => {
        now = time
      },
    }
  }

  test('waits for a second, and goes without a trace', () => {
    const { progress, stderr, at } = progressOn(true)
    progress.onProgress?.({ bytes: 10, total: 100, phase: 'check' })
    expect(stderr.read()).toBeNull()
    at(1500)
    progress.onProgress?.({ bytes: 50, total: 100, phase: 'check' })
    expect(String(stderr.read())).toContain('orders.csv')
    progress.stop()
  })

  test('of work that nobody can measure: its name and its time, and no trace of them', () => {
    vi.useFakeTimers({ now: 0 })
    onTestFinished(() => void vi.useRealTimers())
    const stderr = Object.assign(new PassThrough(), { isTTY: true })
    const io = { stdout: new PassThrough(), stderr, cwd: '.', env: {}, signal: new AbortController().signal }
    const work = startWork({ json: false, io }, () => Date.now())
    work.at('curated.orders')
    vi.advanceTimersByTime(900)
    expect(stderr.read()).toBeNull()
    vi.advanceTimersByTime(1300)
    expect(String(stderr.read())).toBe('curated.orders … 1 s\r\u001b[2Kcurated.orders … 2 s')
    work.stop()
    expect(String(stderr.read())).toBe('\r\u001b[2K')
    vi.advanceTimersByTime(5000)
    expect(stderr.read()).toBeNull()
  })

  test('is not there without a terminal, or with --json', () => {
    expect(progressOn(false).progress.onProgress).toBeUndefined()
    expect(progressOn(true, true).progress.onProgress).toBeUndefined()
  })
})
