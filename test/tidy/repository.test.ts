import { existsSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { layerFlaws } from './layers.ts'
import { brokenLinks } from './links.ts'
import {
  importsEndInTs,
  noAmbientTimeOrChance,
  noBarrel,
  noLongFile,
  noLooseEnd,
  noRecursiveMkdir,
  noSkippedTest,
  strayTestFolders,
  type Rule,
} from './rules.ts'
import { foldersIn, readSources, readTop, ROOT } from './sources.ts'

const CODE = ['src', 'test', 'simulations', 'bench', 'scripts']
const TOP_DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md']
/** Holds bad examples for every rule. */
const EXAMPLES = 'test/tidy/rules.test.ts'

const sources = readSources(CODE, '.ts').filter(({ path }) => path !== EXAMPLES)

describe('the repository', () => {
  it('is read at all', () => {
    expect(sources.length).toBeGreaterThan(100)
    expect(sources.some(({ path }) => path === 'src/foundation/system.ts')).toBe(true)
  })

  it.each<[string, Rule]>([
    ['keeps its layers', layerFlaws],
    ['takes time and chance as parameters', noAmbientTimeOrChance],
    ['has no file too long to read', noLongFile],
    ['runs all of its tests', noSkippedTest],
    ['leaves nothing to do in its comments', noLooseEnd],
    ['makes directories by a way that ends', noRecursiveMkdir],
    ['imports by full file names', importsEndInTs],
    ['imports things from where they are declared', noBarrel],
  ])('%s', (_, rule) => {
    expect(sources.flatMap(rule)).toEqual([])
  })

  it('has its tests where its code is', () => {
    expect(strayTestFolders(foldersIn('test'), foldersIn('src'))).toEqual([])
  })

  it('has no link in its documents that leads nowhere', () => {
    const documents = [...readSources(['docs'], '.md'), ...readTop(TOP_DOCUMENTS)]
    const exists = (path: string): boolean => existsSync(posix.join(ROOT, path))
    expect(documents.flatMap((document) => brokenLinks(document, exists))).toEqual([])
  })
})
