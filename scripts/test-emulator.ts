// `npm run test:emulator`: the tests that need AWS, on an emulator that starts and ends with them, or on the one that
// AWS_ENDPOINT_URL points at. What follows "--" goes to vitest: npm run test:emulator -- conformance
//
// Exit code 0: all passed · 77: no emulator can run here (no Python, no PyPI), so nothing was tested · other: it failed

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Emulator, EmulatorUnavailable, EXIT, exitCodeOf, startEmulator } from './emulator.ts'

const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
const config = fileURLToPath(new URL('../vitest.emulator.config.ts', import.meta.url))

function runTests(emulator: Emulator): Promise<number> {
  // A profile or a session of the person who runs this must not get into requests to an emulator.
  const { AWS_PROFILE: _profile, AWS_SESSION_TOKEN: _token, ...env } = process.env
  const child = spawn(process.execPath, [vitest, 'run', '--config', config, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...env, ...emulator.env },
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? EXIT.failed))
  })
}

let failed: number = EXIT.ok
const code = await exitCodeOf(async () => {
  const emulator = await startEmulator({ log: (line) => process.stderr.write(`${line}\n`) }).catch((error: unknown) => {
    if (error instanceof EmulatorUnavailable) process.stderr.write('The emulator tests did NOT run.\n')
    throw error
  })
  // Ctrl-C reaches vitest too: wait for it, then end the emulator.
  process.on('SIGINT', () => {})
  try {
    failed = await runTests(emulator)
  } finally {
    await emulator.stop()
  }
})
process.exitCode = code === EXIT.ok ? failed : code
