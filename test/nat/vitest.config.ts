import { defineConfig } from 'vitest/config'

/** Paths through routers, on a small internet in network namespaces. Apart from the other tests: it wants the machine. */
export default defineConfig({
  test: {
    include: ['test/nat/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    maxWorkers: 1,
  },
})
