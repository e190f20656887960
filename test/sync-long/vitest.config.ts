import { defineConfig } from 'vitest/config'

/** Two daemons and a practice grid for many minutes: see CONTRIBUTING.md. */
export default defineConfig({
  test: {
    include: ['test/sync-long/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 600_000,
    hookTimeout: 120_000,
    fileParallelism: false,
  },
})
