import { defineConfig } from 'vitest/config'

/** Where continuous integration wants the results as JSON, beside what people read. */
const report = process.env['HAYLOFT_TEST_REPORT']

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Those want the machine for themselves, and root: `npm run test-nat`; or many minutes: `npm run test-sync-long`.
    exclude: ['test/nat/**', 'test/sync-long/**'],
    // Tests of the command line run what is built.
    globalSetup: ['test/support/global-setup.ts'],
    // The end-to-end tests start processes that each want a core; more workers than cores only makes them wait.
    maxWorkers: 2,
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
