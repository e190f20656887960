import { defineConfig } from 'vitest/config'

const WITH_NODE_BELOW = [
  'cli',
  'crypto',
  'erasure',
  'gateway',
  'home',
  'library',
  'network',
  'storage-node',
]
const WHOLE_PROGRAMS = ['files', 'practice', 'daemon-api', 'sync', 'grid-of-friends']

/** What shows whether another Node behaves as the program expects: its cryptography, files, sockets and processes. */
export default defineConfig({
  test: {
    include: [
      ...WITH_NODE_BELOW.map((folder) => `test/${folder}/**/*.test.ts`),
      ...WHOLE_PROGRAMS.map((name) => `test/end-to-end/${name}.test.ts`),
    ],
    globalSetup: ['test/support/global-setup.ts'],
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
