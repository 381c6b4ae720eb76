// The tests that need AWS, or an emulator of it: `npm run test:emulator` starts one for them. Not part of `npm test`.

import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/emulator/**/*.test.ts'],
    setupFiles: ['test/emulator/setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    // An emulator in one process answers one request at a time; these limits only end what hangs.
    testTimeout: 300_000,
    hookTimeout: 600_000,
    teardownTimeout: 30_000,
  },
})
