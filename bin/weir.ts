// The command line's entry: streams, signals and the exit code. All else is in lib/cli.

import { enableCompileCache } from 'node:module'

// Before anything else is loaded: the second start is then a good deal faster.
enableCompileCache()
const { main } = await import('../lib/cli/main.ts')

// `weir … | head` closes the pipe early; that is no fault, and the work goes on.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return
    // Results that could not be shown must not look like a success, nor like rejects.
    process.stderr.write(
      `weir: The output could not be written (${error.message}). What the command did in the lake is done.\n`,
    )
    process.exit(4)
  })
}

// The first Ctrl-C asks the work to stop; the second one does not ask. The launcher of an older Node counts those that it
// was sent; in a terminal they are the same ones that come here.
const stop = new AbortController()
let interrupts = 0
function interrupted(count: number, signal: string): void {
  if (count <= interrupts) return
  interrupts = count
  if (stop.signal.aborted) process.exit(130)
  stop.abort(new Error(`Stopped by ${signal}.`))
  if (process.stderr.isTTY) process.stderr.write('\nStopping. Press Ctrl-C again to stop at once.\n')
}
let here = 0
process.on('SIGINT', () => interrupted(++here, 'SIGINT'))
process.on('SIGTERM', () => interrupted(interrupts + 1, 'SIGTERM'))
process.on('message', (told) => {
  if (typeof told === 'object' && told !== null && 'interrupts' in told) interrupted(Number(told.interrupts), 'SIGINT')
})
// Listening must not keep the program alive.
process.channel?.unref()

const code = await main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  env: process.env,
  signal: stop.signal,
})

// What was written must be out before the process ends; native handles must not keep it alive.
await new Promise<void>((done) => process.stdout.write('', () => done()))
process.exit(code)
