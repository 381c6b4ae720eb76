// The emulator's script, as far as it goes without one: which Pythons do, what clients get, which ports are free.

import { createServer } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  clientEnv,
  EmulatorFailed,
  EmulatorUnavailable,
  exitCodeOf,
  freePort,
  isRecentEnough,
  launch,
  startEmulator,
} from '../../../scripts/emulator.ts'

let said: string
beforeEach(() => {
  said = ''
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += text
    return true
  })
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

test.each([
  [[3, 10], true],
  [[3, 14], true],
  [[4, 0], true],
  [[3, 9], false],
  [[2, 7], false],
  [[], false],
])('Python %j will do: %s', (version, will) => expect(isRecentEnough(version)).toBe(will))

test("a client gets the endpoint, a region and credentials that are nobody's", () => {
  expect(clientEnv('http://127.0.0.1:1')).toMatchObject({
    AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_REGION: 'us-east-1',
  })
})

test('a machine without the emulator can be told from one where it fails', async () => {
  const failing = (error: Error) => exitCodeOf(() => Promise.reject(error))
  expect(await exitCodeOf(async () => {})).toBe(0)
  expect(await failing(new EmulatorFailed('It fell over.'))).toBe(1)
  expect(await failing(new EmulatorUnavailable('There is no Python here.'))).toBe(77)
  expect(said).toBe('It fell over.\nThere is no Python here.\n')
  await expect(failing(new TypeError('A mistake in the script.'))).rejects.toThrow('A mistake in the script.')
})

test('a port that another program has is named', async () => {
  const server = createServer((socket) => socket.destroy())
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await expect(launch(port)).rejects.toThrow(new RegExp(`Another program has port ${port}.*--port`))
  await new Promise((resolve) => server.close(resolve))
})

test('an emulator that AWS_ENDPOINT_URL names and that is not there is no reason to start another', async () => {
  const port = await freePort()
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${port}`)
  await expect(startEmulator()).rejects.toThrow(/Nothing answers at AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1.*unset/)
})
