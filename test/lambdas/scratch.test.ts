import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { scratchFolder } from '../../lambdas/common/scratch.ts'

const base = await mkdtemp(join(tmpdir(), 'weir-scratch-'))
afterAll(() => rm(base, { recursive: true, force: true }))

test('a function that was killed leaves nothing to the next one; what another is working on stays', async () => {
  const gone = spawn(process.execPath, ['-e', ''])
  await once(gone, 'exit')
  const folders = [gone.pid, process.pid, process.ppid].map((pid) => join(base, 'weir', 'shop', `process-${pid}`))
  for (const folder of folders) {
    await mkdir(join(folder, 'check-1'), { recursive: true })
    await writeFile(join(folder, 'check-1', 'part.parquet'), 'half')
  }
  const scratch = await scratchFolder('shop', base)
  expect(scratch).toBe(folders[1])
  expect(folders.map((folder) => existsSync(join(folder, 'check-1')))).toEqual([false, false, true])
  expect(existsSync(scratch)).toBe(true)

  await writeFile(join(scratch, 'in-use'), '')
  expect(await scratchFolder('shop', base)).toBe(scratch)
  expect(existsSync(join(scratch, 'in-use'))).toBe(true)
})
