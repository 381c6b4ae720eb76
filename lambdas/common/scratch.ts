// The folder of a function below /tmp. What a run leaves that is killed (its time over, its memory gone) is still there when
// Lambda starts the function anew in the same environment: without a broom the disk fills up, and good files fail.

import { mkdir, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const made = new Map<string, Promise<string>>()

/** This process's own folder, empty when it is first asked for; those of processes that are gone are removed. */
export function scratchFolder(environment: string, base: string = tmpdir()): Promise<string> {
  const parent = join(base, 'weir', environment)
  const known = made.get(parent) ?? sweep(parent)
  made.set(parent, known)
  return known
}

async function sweep(parent: string): Promise<string> {
  const own = `process-${process.pid}`
  for (const name of await readdir(parent).catch(() => [])) {
    const pid = Number(/^process-(\d+)$/.exec(name)?.[1])
    // An emulator runs functions beside each other on one disk. One of our own number is of a process before us.
    if (name === own || (pid > 0 && !isRunning(pid))) await rm(join(parent, name), { recursive: true, force: true })
  }
  const folder = join(parent, own)
  await mkdir(folder, { recursive: true })
  return folder
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: string }).code !== 'ESRCH'
  }
}
