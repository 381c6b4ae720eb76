// Real processes on one lake, with the real engine, killed with SIGKILL at random moments. Then reconcile, and look.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { parseContract } from '../../lib/contract/read.ts'
import { createEngine } from '../../lib/engine/engine.ts'
import { sourceSlug } from '../../lib/lake/keys.ts'
import { listReceipts } from '../../lib/lake/ledger.ts'
import { createLocalLake, openLocalLake } from '../../lib/lake/local/lake.ts'
import { reconcile } from '../../lib/pipeline/reconcile.ts'
import { collect, tempFolder } from './helpers.ts'
import { CONTRACT, textOf } from './killed.ts'
import { randomFrom } from './turns.ts'

const PROCESSES = 3
const KILLS = 9
const SCRIPT = fileURLToPath(new URL('killed.ts', import.meta.url))

it('survives kill -9 of processes that share a lake', { timeout: 180_000 }, async () => {
  const root = await tempFolder()
  const drops = join(root, 'drops.txt')
  await createLocalLake(root)
  const seed = Math.floor(Math.random() * 1e9)
  const random = randomFrom(seed)
  let failure = ''
  let kills = 0
  const lifeOf = async (index: number) => {
    while (kills < KILLS) {
      const child = fork(SCRIPT, [root, drops, `${seed + index + kills * 100}`], {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      })
      child.stderr?.on('data', (text) => {
        failure += text
      })
      const exit = once(child, 'exit')
      await Promise.race([once(child, 'message'), exit])
      await Promise.race([sleep(100 + random.below(900)), exit])
      if (child.exitCode !== null) throw new Error(`A worker ended by itself (seed ${seed}):\n${failure}`)
      child.kill('SIGKILL')
      await exit
      kills++
    }
  }
  await Promise.all(Array.from({ length: PROCESSES }, (_, index) => lifeOf(index)))

  const lake = await openLocalLake(root, { log: () => {} })
  const { plans } = parseContract(CONTRACT)
  const engine = await createEngine({ scratch: lake.scratch, threads: 1 })
  const context = { lake, plans, check: engine.check, now: () => new Date(), log: () => {} }
  try {
    expect((await reconcile(context)).faults).toEqual([])
    expect(await reconcile(context)).toMatchObject({ mended: [], faults: [] })

    // I3: receipts add up, and nobody was told twice, nor something else than the receipt says.
    const receipts = await collect(listReceipts(lake))
    for (const { rows } of receipts) expect(rows.read).toBe(rows.accepted + rows.rejected)
    expect(receipts.length).toBeGreaterThan(KILLS)
    const notifications = (await readFile(join(root, '.weir/notifications.ndjson'), 'utf8')).trimEnd().split('\n')
    const told = notifications.map((line): { upload: string; outcome: string } => JSON.parse(line))
    expect(new Set(told.map(({ upload }) => upload)).size).toBe(told.length)
    for (const { upload, outcome } of told) {
      expect(outcome).toBe(receipts.find((receipt) => receipt.upload === upload)?.outcome)
    }

    // I1, I2: what a query sees is, for each source, exactly the rows of one accepted upload; and no bytes twice.
    const { rows } = await lake.queries.query(
      'SELECT source, _upload, file, count(*), sum(n) FROM clean.files GROUP BY 1, 2, 3 ORDER BY 1, 2, 3',
    )
    const sources = rows.map(([source]) => source)
    expect(new Set(sources).size).toBe(sources.length)
    expect(new Set(rows.map(([, , file]) => file)).size).toBe(rows.length)
    for (const [, upload, file, count] of rows) {
      const good = textOf(Number(String(file).slice(5)))
        .split('\n')
        .filter((line) => /^\d+,/.test(line))
      expect({ upload, count: Number(count) }).toEqual({ upload, count: good.length })
      expect(receipts.find((receipt) => receipt.upload === upload)?.outcome).toMatch(/^(accepted|duplicate)/)
    }
    // Every acceptable file in landing is in the table, through its own source or another that has the same bytes.
    const dropped = new Set((await readFile(drops, 'utf8')).split('\n'))
    for await (const { key } of lake.zones.landing.list('')) {
      const text = (await lake.zones.landing.get(key))?.body.toString() ?? ''
      const id = /file (\d+)/.exec(text)?.[1] ?? ''
      expect(dropped).toContain(id)
      expect(text).toBe(textOf(Number(id)))
      const mine = receipts.filter((receipt) => receipt.source === key)
      const version = (await lake.zones.landing.head(key))?.version
      const retracted = mine.some((receipt) => receipt.outcome === 'retracted' && receipt.version === version)
      expect(mine.filter((receipt) => receipt.version === version && receipt.outcome !== 'retracted')).toHaveLength(1)
      if (text.startsWith('n,') && !retracted) expect(rows.map(([, , file]) => file)).toContain(`file ${id}`)
      if (retracted) expect(sources).not.toContain(sourceSlug(key))
    }
  } catch (error) {
    throw new Error(`Seed ${seed}`, { cause: error })
  } finally {
    await engine.close()
    await lake.close()
    await rm(root, { recursive: true, force: true })
  }
})
