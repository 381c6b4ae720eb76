// `weir curate --drop`: takes tables away that nothing makes any more. A lake in a folder does it here; a deployed lake is asked
// to, as only its curate function writes curated tables.

import { formatMoment, formatRows, visible } from '../lake/render/format.ts'
import { readTableState, TableStateDamaged } from '../lake/table-state.ts'
import type { CurateContext } from '../pipeline/curate/context.ts'
import type { LeftOver } from '../pipeline/curate/left-over.ts'
import { type AwaitEach, awaitEach } from './await-each.ts'
import { describeError, Interrupted, NotDroppedYet } from './errors.ts'
import { startWork } from './progress.ts'
import type { Answer, GlobalOptions, Run } from './run.ts'

interface Options extends GlobalOptions {
  dryRun?: boolean
  /** Seconds, or false for --no-wait. */
  wait: number | boolean
}

/** All names are looked at before the first table goes. */
export async function dropTables(
  run: Run,
  options: Options,
  context: CurateContext,
  names: readonly string[],
): Promise<Answer> {
  const { tablesToDrop, dropTable } = await import('../pipeline/curate/left-over.ts')
  const found = await tablesToDrop(context, names)
  if (options.dryRun) {
    for (const one of found) run.say(`- ${lineOf(one)}`)
    run.say(`${formatRows(found.length, 'table')} would be dropped. This was a dry run: nothing was changed.`)
    return { exit: 0, json: { dryRun: true, dropped: [], toDrop: found } }
  }
  if (await run.session.deployed()) return ask(run, options, context, found)
  const dropped: LeftOver[] = []
  for (const one of found) {
    if (run.signal.aborted)
      throw new Interrupted('Stopped. What was dropped is gone, and what is left can be dropped by the same command.')
    await dropTable(context, one.table)
    dropped.push(one)
    run.say(`${run.paint('good', '✓')} dropped ${lineOf(one)}`)
  }
  return { exit: 0, json: { dropped } }
}

/** "curated.daily: 3 rows of 2026-11-22 08:00:01 UTC; its model is gone". */
export function lineOf({ table, version, why }: LeftOver): string {
  const rows = version?.rows == null ? '' : `${formatRows(version.rows, 'row')} of `
  const had = version ? `${rows}${formatMoment(version.committedAt)}` : 'no rows'
  return `curated.${visible(table)}: ${had}; ${visible(why)}`
}

/** Sends a message for each table, and waits until all of them are gone. */
async function ask(run: Run, options: Options, context: CurateContext, found: readonly LeftOver[]): Promise<Answer> {
  const deployed = await run.session.deployed()
  if (!deployed) throw new TypeError('a lake in a folder is asked for nothing')
  const { openCurateQueue } = await import('../lake/aws/curate-queue.ts')
  const queue = openCurateQueue(deployed)
  try {
    await queue.send(found.map(({ table }) => ({ weir: 'drop', table })))
  } finally {
    queue.close()
  }
  const open = new Map(found.map((one) => [one.table, one]))
  if (options.wait === false) {
    run.say(`${formatRows(open.size, 'table')} asked to be dropped.`)
    return { exit: 0, json: { dropped: [], pending: [...open.keys()] } }
  }
  const work = startWork(run)
  work.at(`Waiting for aws:${deployed.environment} to drop ${formatRows(open.size, 'table')}`)
  try {
    await awaitGone(context, [...open.keys()], {
      timeoutMs: Number(options.wait) * 1000,
      signal: run.signal,
      onGone: (table) => {
        const one = open.get(table)
        open.delete(table)
        work.clear()
        if (one) run.say(`${run.paint('good', '✓')} dropped ${lineOf(one)}`)
      },
    })
  } catch (error) {
    if (run.signal.aborted)
      throw new Interrupted(
        'Stopped waiting. The lake goes on with what it was asked for; what is left over: weir status',
      )
    throw error
  } finally {
    work.stop()
  }
  const json = { dropped: found.filter(({ table }) => !open.has(table)), pending: [...open.keys()] }
  if (open.size === 0) return { exit: 0, json }
  const { error } = describeError(new NotDroppedYet([...open.keys()], Number(options.wait), options.lake), run.io.env)
  run.note(`weir: ${error.message}`)
  if (error.advice) run.note(error.advice)
  return { exit: 4, json: { ...json, error } }
}

export interface AwaitGone extends AwaitEach {
  onGone: (table: string) => void
}

/** Waits until no table has a state any more, or the time is over. */
export function awaitGone(
  { lake }: Pick<CurateContext, 'lake'>,
  tables: readonly string[],
  { onGone, ...options }: AwaitGone,
): Promise<void> {
  return awaitEach(tables, options, async (table) => {
    if (await isThere(lake, table)) return 'open'
    onGone(table)
    return 'done'
  })
}

async function isThere(lake: CurateContext['lake'], table: string): Promise<boolean> {
  try {
    return (await readTableState(lake.zones.ops, table)) !== undefined
  } catch (error) {
    if (error instanceof TableStateDamaged) return true
    throw error
  }
}
