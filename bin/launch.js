#!/usr/bin/env node
// Starts the command line under Node 24, the version the Lambdas run, whatever Node the host has.
// Plain JavaScript on purpose: an older Node must be able to read it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const cli = fileURLToPath(new URL('./weir.ts', import.meta.url))

if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import('./weir.ts')
} else {
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const local = fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url))
  if (!existsSync(local)) {
    console.error(
      `weir needs Node 24 and this is ${process.version}. Run "npm ci" in the checkout, or install Node 24.`,
    )
    process.exit(3)
  }
  const child = spawn(local, [cli, ...process.argv.slice(2)], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  // Ctrl-C in a terminal reaches both of us, a signal to this process alone reaches only us. So the child is told how many
  // there were, and takes the larger count: none is lost, and none counts twice.
  let interrupts = 0
  process.on('SIGINT', () => {
    interrupts += 1
    if (child.connected) child.send({ interrupts }, () => {})
  })
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 4)))
}
