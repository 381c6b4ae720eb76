// How the tests run: two at a time in processes of their own, since DuckDB and SQLite hold native memory and file locks.

import { configDefaults, defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Those need an emulator of AWS: npm run test:emulator
    exclude: [...configDefaults.exclude, 'test/emulator/**'],
    pool: 'forks',
    maxWorkers: 2,
    // Generous, because a machine may be busy: a test never measures time, it only must not hang.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
  },
})
