import { describe, expect, it } from 'vitest'
import { importsOf } from './imports.ts'
import { layerFlaws } from './layers.ts'
import { brokenLinks } from './links.ts'
import {
  importsEndInTs,
  MAX_LINES,
  noAmbientTimeOrChance,
  noBarrel,
  noLongFile,
  noLooseEnd,
  noRecursiveMkdir,
  noSkippedTest,
  strayTestFolders,
} from './rules.ts'

// Every rule is shown what it must find and what it must leave alone. This one file is exempt from the rules itself.

describe('imports', () => {
  it('are found in all their forms, over several lines, and not in comments', () => {
    const text = [
      `import { a } from './a.ts'`,
      `import type {\n  B,\n  C,\n} from '../b.ts'`,
      `import './side-effect.ts'`,
      `export { d } from './d.ts'`,
      `export * from './e.ts'`,
      `const f = await import('./f.ts')`,
      `// import { g } from './g.ts'`,
      `/* import { h } from './h.ts' */`,
      `const address = 'https://example.org' // from './i.ts'`,
    ].join('\n')
    expect(importsOf({ path: 'src/x/y.ts', text }).sort()).toEqual([
      '../b.ts',
      './a.ts',
      './d.ts',
      './e.ts',
      './f.ts',
      './side-effect.ts',
    ])
  })
})

describe('the rule about layers', () => {
  const flawsOf = (path: string, specifier: string): string[] =>
    layerFlaws({ path, text: `import { something } from '${specifier}'\n` })

  it.each([
    ['src/crypto/a.ts', '../erasure/b.ts'],
    ['src/erasure/a.ts', '../crypto/b.ts'],
    ['src/foundation/a.ts', '../crypto/b.ts'],
    ['src/protocol/a.ts', '../capabilities/b.ts'],
    ['src/capabilities/a.ts', '../storage-node/b.ts'],
    ['src/storage-node/a.ts', '../capabilities/b.ts'],
    ['src/storage-node/a.ts', '../network/b.ts'],
    ['src/storage-node/a.ts', '../grid/b.ts'],
    ['src/network/a.ts', '../grid/b.ts'],
    ['src/grid/nodes/a.ts', '../../storage-node/b.ts'],
    ['src/grid/nodes/a.ts', '../../network/b.ts'],
    ['src/folders/a.ts', '../network/b.ts'],
    ['src/gateway/sync/a.ts', '../../network/b.ts'],
    ['src/grid/a.ts', '../cli/b.ts'],
    ['src/grid/a.ts', '../elsewhere/b.ts'],
    ['src/grid/a.ts', '../../simulations/b.ts'],
    ['src/elsewhere/a.ts', '../foundation/b.ts'],
    ['src/grid/a.ts', '@libp2p/interface'],
    ['src/cli/a.ts', 'libp2p'],
    ['src/cli/a.ts', '@multiformats/multiaddr'],
    ['src/grid/a.ts', 'node:crypto'],
    ['src/grid/a.ts', 'crypto'],
    ['src/foundation/bytes.ts', 'node:crypto'],
    ['src/capabilities/a.ts', '@noble/hashes/sha2.js'],
    ['src/grid/a.ts', 'level'],
    ['src/grid/a.ts', 'cborg'],
    ['src/grid/a.ts', '@ronomon/reed-solomon'],
    ['src/grid/a.ts', 'commander'],
  ])('finds that %s must not import %s', (path, specifier) => {
    expect(flawsOf(path, specifier)).toHaveLength(1)
  })

  it.each([
    ['src/grid/nodes/a.ts', '../blocks/b.ts'],
    ['src/grid/nodes/a.ts', '../../foundation/b.ts'],
    ['src/grid/a.ts', '../capabilities/b.ts'],
    ['src/cli/a.ts', '../network/b.ts'],
    ['src/cli/a.ts', '../storage-node/b.ts'],
    ['src/network/a.ts', '@libp2p/tcp'],
    ['src/crypto/a.ts', '@noble/curves/ed25519.js'],
    ['src/foundation/system.ts', 'node:crypto'],
    ['src/storage-node/a.ts', 'level'],
    ['src/grid/a.ts', 'node:events'],
    ['test/grid/a.ts', '../../src/network/b.ts'],
  ])('lets %s import %s', (path, specifier) => {
    expect(flawsOf(path, specifier)).toEqual([])
  })
})

describe('the rule about time and chance', () => {
  it.each([
    'const now = Date.now()',
    'const now = new Date()',
    'const now = Date()',
    'const now = performance.now()',
    'const now = process.hrtime.bigint()',
    'const dice = Math.random()',
    'setTimeout(action, 10)',
    'globalThis.setInterval(action, 10)',
    'setImmediate(action)',
    'const signal = AbortSignal.timeout(10)',
    'const key = randomBytes(32)',
    'const id = crypto.randomUUID()',
    'crypto.getRandomValues(bytes)',
    `import { setTimeout as sleep } from 'node:timers/promises'`,
  ])('finds %s', (text) => {
    expect(noAmbientTimeOrChance({ path: 'src/grid/a.ts', text })).toHaveLength(1)
    expect(noAmbientTimeOrChance({ path: 'simulations/a.ts', text })).toHaveLength(1)
  })

  it('leaves alone a moment that is given, prose, and the places that are meant for it', () => {
    const given = 'const day = new Date(nowMs)'
    const prose = '/** In place of `Date.now()`. */ // Math.random()'
    for (const text of [given, prose]) {
      expect(noAmbientTimeOrChance({ path: 'src/grid/a.ts', text })).toEqual([])
    }
    const text = 'const now = Date.now()'
    expect(noAmbientTimeOrChance({ path: 'src/foundation/system.ts', text })).toEqual([])
    expect(noAmbientTimeOrChance({ path: 'bench/a.ts', text })).toEqual([])
  })

  it('gives an exempt file no more than its exemption', () => {
    const path = 'simulations/clock.ts'
    expect(noAmbientTimeOrChance({ path, text: 'setImmediate(resolve)' })).toEqual([])
    expect(noAmbientTimeOrChance({ path, text: 'setTimeout(resolve, 1)' })).toHaveLength(1)
  })
})

describe('the rule about directories', () => {
  it('finds the way that may not end, on one line or several', () => {
    const ways = ['mkdir(path, { recursive: true })', 'mkdirSync(\n  path,\n  { recursive },\n)']
    for (const text of ways) {
      expect(noRecursiveMkdir({ path: 'src/home/a.ts', text })).toHaveLength(1)
      expect(noRecursiveMkdir({ path: 'test/home/a.ts', text })).toEqual([])
    }
    const text = 'await mkdir(path, { mode })\nawait rm(path, { recursive: true })'
    expect(noRecursiveMkdir({ path: 'src/home/a.ts', text })).toEqual([])
  })
})

describe('the rule about length', () => {
  it('counts lines', () => {
    const path = 'src/grid/a.ts'
    expect(noLongFile({ path, text: '\n'.repeat(MAX_LINES) })).toEqual([])
    expect(noLongFile({ path, text: '\n'.repeat(MAX_LINES + 1) })).toHaveLength(1)
  })
})

describe('the rule about tests that do not run', () => {
  // Put together here, so that who searches the tests for idle ones does not find these.
  it.each([
    ['it', 'skip'],
    ['describe', 'only'],
    ['it', 'todo'],
    ['it', 'concurrent', 'skip'],
    ['it', `skipIf(process.platform === 'win32')`],
    ['it', 'runIf(isLinux)'],
    ['it', 'fails'],
    ['xit'],
  ])('finds %s.%s', (...call) => {
    const text = `${call.join('.')}('works', () => {})`
    expect(noSkippedTest({ path: 'test/grid/a.test.ts', text })).toHaveLength(1)
  })

  it('leaves alone tests that run, and what a contract runs for some only', () => {
    const plain = `it('skips what it must', () => { bitmap.skip(1) })`
    expect(noSkippedTest({ path: 'test/grid/a.test.ts', text: plain })).toEqual([])
    const contract = `it.runIf(bounded)('stops reading', () => {})`
    expect(noSkippedTest({ path: 'test/contracts/a.ts', text: contract })).toEqual([])
  })
})

describe('the rule about loose ends', () => {
  it('finds them in code and comments', () => {
    expect(noLooseEnd({ path: 'src/grid/a.ts', text: '// TODO: later' })).toHaveLength(1)
    expect(noLooseEnd({ path: 'src/grid/a.ts', text: '/* FIXME */' })).toHaveLength(1)
    expect(noLooseEnd({ path: 'src/grid/a.ts', text: '// nothing left to do' })).toEqual([])
  })
})

describe('the rule about endings', () => {
  it('finds relative imports without one', () => {
    const path = 'src/grid/a.ts'
    expect(importsEndInTs({ path, text: `import { b } from './b'` })).toHaveLength(1)
    expect(importsEndInTs({ path, text: `import { b } from './b.js'` })).toHaveLength(1)
    expect(importsEndInTs({ path, text: `import { b } from './b.ts'` })).toEqual([])
    expect(importsEndInTs({ path, text: `import { b } from 'b'` })).toEqual([])
  })
})

describe('the rule about barrels', () => {
  it.each([
    `export { a } from './a.ts'`,
    `/** All of it. */\nexport * from './a.ts'\nexport type {\n  B,\n  C,\n} from '../b.ts'\n`,
    `export * as a from './a.ts'`,
  ])('finds %j', (text) => {
    expect(noBarrel({ path: 'src/grid/index.ts', text })).toHaveLength(1)
  })

  it('leaves alone files with something of their own, packages behind one file, and the entry', () => {
    const own = `export { a } from './a.ts'\nexport const b = 1\n`
    expect(noBarrel({ path: 'src/grid/a.ts', text: own })).toEqual([])
    const packages = `export { noise } from '@libp2p/noise'\n`
    expect(noBarrel({ path: 'src/network/a.ts', text: packages })).toEqual([])
    const entry = `export { a } from './a.ts'`
    expect(noBarrel({ path: 'src/library/index.ts', text: entry })).toEqual([])
  })
})

describe('the rule about mirrors', () => {
  it('finds folders of tests that belong to nothing', () => {
    const sources = ['src/grid', 'src/grid/nodes']
    expect(strayTestFolders(['test/grid', 'test/grid/nodes', 'test/vectors'], sources)).toEqual([])
    expect(strayTestFolders(['test/gird', 'test/grid/node'], sources)).toHaveLength(2)
  })
})

describe('the rule about links', () => {
  it('finds those that lead nowhere', () => {
    const text = '[a](../src/a.ts) [b](b.md#part) [c](https://example.org/c) [d](#d) [e](e.md)'
    const exists = (path: string): boolean => ['src/a.ts', 'docs/b.md'].includes(path)
    expect(brokenLinks({ path: 'docs/x.md', text }, exists)).toEqual(['docs/x.md links to e.md'])
  })
})
