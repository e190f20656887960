import type { Mutant } from '../mutant.ts'

/** Ways to break syncing that lose data, bring it back from the dead, or litter. */
export const SYNC_MUTANTS: readonly Mutant[] = [
  {
    name: 'no intents: after a crash what was fetched was written by the user',
    file: 'src/gateway/sync/intents.ts',
    right: 'const isDone = becomes !== undefined && isAsAgreed(local, becomes)',
    wrong: 'const isDone = becomes === local',
  },
  {
    name: 'what the grid has replaces a local edit',
    file: 'src/gateway/sync/decide.ts',
    right: 'return isChanged ? pushing(triple, local, synced) : pulling(triple, synced)',
    wrong: `if (synced !== undefined && triple.remote !== undefined) return pulling(triple, synced)
    return isChanged ? pushing(triple, local, synced) : undefined`,
  },
  {
    name: 'a change replaces whatever the grid shows by now',
    file: 'src/gateway/sync/decide.ts',
    right: 'return leaf !== undefined && isSame ? leaf.dots : synced.dots',
    wrong: 'return leaf !== undefined ? leaf.dots : synced.dots',
  },
  {
    name: 'a removed directory takes along what others put into it',
    file: 'src/gateway/sync/commit-edits.ts',
    right: 'if (replaces === undefined || !includesDots(replaces, shown.dots)) return false',
    wrong: 'if (replaces === undefined) continue',
  },
  {
    name: 'a file makes way before its conflict copy is there',
    file: 'src/gateway/sync/plan.ts',
    right: 'return keptAt === undefined ? step : { ...step, keptAt }',
    wrong: 'return step',
  },
  {
    name: 'a change of a conflict copy gives up the original',
    file: 'src/gateway/sync/plan.ts',
    right: 'if (isAsAgreed(local.get(copy.copyOf), original)) twice.add(path)',
    wrong: '',
  },
  {
    name: 'a file in the way of a directory is dropped',
    file: 'src/gateway/sync/commit-edits.ts',
    right: "return { kind: 'put', path: pathOf(path), content: version, replaces: [] }",
    wrong: "return { kind: 'make-directory', path: pathOf(path) }",
  },
]
