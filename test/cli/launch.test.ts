// The launcher under an older Node: it starts the program under Node 24, and hands on what it is told to do.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { freshLake, put } from './weir.ts'

const LAUNCHER = fileURLToPath(new URL('../../bin/launch.js', import.meta.url))
/** Any Node passes for an old one with this. */
const OLDER = `data:text/javascript,${encodeURIComponent(
  'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.0.0" } })',
)}`

interface Ended {
  code: number | null
  err: string
}

function launch(
  cwd: string,
  args: string[],
  on: { words: string; signal: NodeJS.Signals; times?: number },
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', OLDER, LAUNCHER, ...args], {
      cwd,
      // A group of its own: what is sent to the child reaches nobody else, as from `kill <pid>`.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let seen = ''
    let err = ''
    let sent = false
    const look = (chunk: Buffer) => {
      seen += chunk
      if (sent || !seen.includes(on.words)) return
      sent = true
      child.kill(on.signal)
      for (let n = 1; n < (on.times ?? 1); n++) child.kill(on.signal)
    }
    child.stdout.on('data', look)
    child.stderr.on('data', (chunk) => {
      err += chunk
      look(chunk)
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, err }))
  })
}

test.skipIf(process.platform === 'win32')('SIGINT to the launcher alone ends watch well', async () => {
  const lake = await freshLake()
  expect(await launch(lake, ['watch'], { words: 'Watching', signal: 'SIGINT' })).toMatchObject({ code: 0 })
})

test.skipIf(process.platform === 'win32')('… and a drop with 130 and a word on how to go on', async () => {
  const lake = await freshLake()
  const header = 'order_id,order_date,customer_email,country,quantity,unit_price\n'
  const small = await put(lake, 'orders_small.csv', `${header}A-0001,2026-10-01,,DE,1,1.00\n`)
  const rows = Array.from(
    { length: 400_000 },
    (_, n) => `A-${String(n % 10_000).padStart(4, '0')},2026-10-01,,DE,1,1\n`,
  )
  const big = await put(lake, 'orders_big.csv', header + rows.join(''))
  const ended = await launch(lake, ['drop', small, big], { words: 'orders_small.csv', signal: 'SIGINT' })
  expect(ended).toMatchObject({ code: 130, err: expect.stringContaining('The lake is safe') })
})

test.skipIf(process.platform === 'win32')('SIGTERM too', async () => {
  const lake = await freshLake()
  expect(await launch(lake, ['watch'], { words: 'Watching', signal: 'SIGTERM' })).toMatchObject({ code: 0 })
})
