// Byte work that would hold up the event loop runs in a worker thread; small files are not worth the thread.

import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { census, digest } from './census.ts'
import { Cancelled, EngineFault, Refusal } from './errors.ts'
import { numberJson } from './json.ts'
import { locate } from './locate.ts'
import { numberCsv } from './number.ts'
import type { Reason } from './result.ts'

const TASKS = { census, digest, locate, numberCsv, numberJson }
type Tasks = typeof TASKS
type Answer = { value: unknown } | { refusal: Reason } | { error: string; code?: string }

/** What tells this module that it is one of its own threads. */
const READER = 'weir reader'

/** Files up to this size are done at once, in a few milliseconds. */
const INLINE_BYTES = 4 << 20

/** Runs one task on a file of `size` bytes; Refusals come through as they are. */
export async function runTask<Name extends keyof Tasks>(
  name: Name,
  argument: Parameters<Tasks[Name]>[0],
  size: number,
  signal?: AbortSignal,
): Promise<ReturnType<Tasks[Name]>> {
  if (signal?.aborted) throw new Cancelled()
  const answer = size <= INLINE_BYTES ? answerOf(name, argument) : await inWorker(name, argument, signal)
  if ('refusal' in answer) throw new Refusal(answer.refusal.code, answer.refusal.message, answer.refusal.advice)
  if ('error' in answer) throw Object.assign(new EngineFault(answer.error), { code: answer.code })
  return answer.value as ReturnType<Tasks[Name]>
}

function answerOf(name: keyof Tasks, argument: unknown): Answer {
  try {
    return { value: (TASKS[name] as (argument: unknown) => unknown)(argument) }
  } catch (error) {
    if (error instanceof Refusal) return { refusal: error.reason }
    const { message, code } = error as NodeJS.ErrnoException
    return code === undefined ? { error: message } : { error: message, code }
  }
}

/** Threads that have done their work wait here for more: starting one takes as long as reading 100 MB. */
const idle: Worker[] = []

/** Ends the waiting threads, and waits for none of them: they have nothing left to do. The next task starts new ones. */
export function endIdleThreads(): void {
  for (const worker of idle.splice(0)) worker.terminate()
}

function startThread(): Worker {
  const worker = new Worker(new URL(import.meta.url), { workerData: READER })
  worker.once('exit', () => {
    const at = idle.indexOf(worker)
    if (at >= 0) idle.splice(at, 1)
  })
  return worker
}

/** Starts a thread ahead of its work on a file of `size` bytes, unless one is waiting or none will be needed. */
export function readyThread(size: number): void {
  if (size <= INLINE_BYTES || idle.length > 0) return
  const worker = startThread()
  worker.unref()
  idle.push(worker)
}

function inWorker(name: keyof Tasks, argument: unknown, signal?: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const worker = idle.pop() ?? startThread()
    const done = (settle: () => void): void => {
      worker.off('message', answered).off('error', failed).off('exit', ended)
      signal?.removeEventListener('abort', stop)
      settle()
    }
    const stop = (): void =>
      done(() => {
        worker.terminate()
        reject(new Cancelled())
      })
    const answered = (answer: Answer): void =>
      done(() => {
        // A waiting thread must not keep the process alive.
        worker.unref()
        idle.push(worker)
        resolve(answer)
      })
    const failed = (error: Error): void => done(() => reject(new EngineFault(error.message, { cause: error })))
    const ended = (code: number): void =>
      done(() => reject(new EngineFault(`A reader thread ended with code ${code} before it answered.`)))
    signal?.addEventListener('abort', stop, { once: true })
    worker.ref()
    worker.on('message', answered).on('error', failed).on('exit', ended)
    worker.postMessage({ task: name, argument })
  })
}

if (!isMainThread && workerData === READER) {
  parentPort?.on('message', ({ task, argument }: { task: keyof Tasks; argument: unknown }) =>
    parentPort?.postMessage(answerOf(task, argument)),
  )
}
