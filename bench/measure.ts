// Runs a task in a fresh process, and the small statistics of the benchmark.

import { execFile, fork } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Done, Task } from './child.ts'

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url))

export interface Measured extends Done {
  /** Peak resident memory of the process in bytes, read from outside; undefined where the system has no /proc. */
  peak?: number
}

async function peakOf(pid: number): Promise<number | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024
  } catch {
    return undefined
  }
}

/** What the run before left unwritten must not be paid for by this one. */
async function settle(): Promise<void> {
  try {
    await promisify(execFile)('sync')
  } catch {
    // No such command: the same disadvantage for everybody.
  }
}

/** Runs one task in a process of its own. */
export async function measure(task: Task): Promise<Measured> {
  await settle()
  return await new Promise((resolve, reject) => {
    const child = fork(CHILD, [JSON.stringify(task)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    let result: Measured | undefined
    let errors = ''
    child.stderr?.on('data', (piece) => {
      errors += piece
    })
    child.on('message', async (message) => {
      const peak = child.pid === undefined ? undefined : await peakOf(child.pid)
      result = { ...(message as Done), ...(peak === undefined ? {} : { peak }) }
      child.send('go')
    })
    child.on('error', reject)
    child.on('close', (code) => {
      if (result && code === 0) resolve(result)
      else reject(new Error(`The task ${task.do} ended with code ${code}.\n${errors.slice(-2000)}`))
    })
  })
}

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

export const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)
