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
    right: "return { kind: 'put', path: pathOf(to), content: version, replaces: [] }",
    wrong: "return { kind: 'make-directory', path: pathOf(to) }",
  },
  {
    name: 'a renamed directory takes along what others have in it',
    file: 'src/gateway/sync/commit-moves.ts',
    right: `if (isCopy || removal === undefined || !includesDots(removal.replaces, shown.dots))
      return undefined`,
    wrong: 'if (removal === undefined) continue',
  },
  {
    name: 'what its user removed from a renamed directory comes back',
    file: 'src/gateway/sync/commit-moves.ts',
    right: "else if (put === undefined) edits.push({ kind: 'remove', path: pathOf(target) })",
    wrong: 'else if (put === undefined) continue',
  },
  {
    name: 'a directory is moved although it stays',
    file: 'src/gateway/sync/directory-moves.ts',
    right: 'if (goingDirectories.has(from) && comingDirectories.has(to)) move = { from, to }',
    wrong: 'if (comingDirectories.has(to)) move = { from, to }',
  },
]

/** Ways to break the engine and the disk that lose data, bring it back from the dead, or litter. */
export const ENGINE_MUTANTS: readonly Mutant[] = [
  {
    name: 'no intents are written before the disk is changed',
    file: 'src/gateway/sync/engine/pull.ts',
    right: 'await records.write(possible.flatMap((step) => this.#intents(step)))',
    wrong: '',
  },
  {
    name: 'what was not scanned is overwritten',
    file: 'src/gateway/sync/disk/careful.ts',
    right: 'return stats.isFile() && isSameContent(stats, expects.signature)',
    wrong: 'return stats.isFile()',
  },
  {
    name: 'what was written to a file while it was replaced goes with it',
    file: 'src/gateway/sync/disk/replacer.ts',
    right: 'else await keepBeside(files, second, at)',
    wrong: 'else await files.unlink(second)',
  },
  {
    name: 'a file that changed while it was uploaded is taken for what it was',
    file: 'src/gateway/sync/engine/push.ts',
    right: 'return isSame && (await file.isUnchanged()) ? { ...push, content } : undefined',
    wrong: 'return { ...push, content }',
  },
  {
    name: 'times are trusted however new they are',
    file: 'src/gateway/sync/disk/signature.ts',
    right: 'const COARSEST_STEP_MS = 2_000',
    wrong: 'const COARSEST_STEP_MS = 0',
  },
  {
    name: 'a disk that goes away during a scan looks like files that were removed',
    file: 'src/gateway/sync/disk/system-sync-disk.ts',
    right: 'await this.#checkRoot()\n    return scan',
    wrong: 'return scan',
  },
  {
    name: 'contents are not made durable before they take their places',
    file: 'src/gateway/sync/disk/stager.ts',
    right: 'await file.sync()',
    wrong: '',
  },
  {
    name: 'names are not made durable before they are recorded',
    file: 'src/gateway/sync/disk/system-sync-disk.ts',
    right: 'await unlessGone(this.#files.syncDirectory(at))',
    wrong: '',
  },
  {
    name: 'names that a disk cannot tell apart stand in the way of each other',
    file: 'src/gateway/sync/disk/disk-paths.ts',
    right: 'if (holder === undefined || holder === name) return raw',
    wrong: 'return raw',
  },
  {
    name: 'what a crash left among the temporaries stays',
    file: 'src/gateway/sync/disk/keepsakes.ts',
    right: 'await files.clear(at)',
    wrong: '',
  },
  {
    name: 'what could have changed within a step of the clock is replaced',
    file: 'src/gateway/sync/engine/sync-engine.ts',
    right: "return node?.kind === 'file' && node.isRacy",
    wrong: 'return false',
  },
  {
    name: 'a conflict copy goes although the file that it was a version of is edited',
    file: 'src/gateway/sync/plan.ts',
    right: ' ?? originalOf(step.expects, remote)',
    wrong: '',
  },
  {
    name: 'what could not be put back counts as removed by its user',
    file: 'src/gateway/sync/disk/replacer.ts',
    right: 'if (isBack === undefined) throw new PlaceGoneError()',
    wrong: 'if (isBack === undefined) return',
  },
  {
    name: 'what nobody wants any more stays unfinished',
    file: 'src/gateway/sync/engine/sync-engine.ts',
    right: 'await context.disk.dropUnfinished(namesOf(planned.pulls))',
    wrong: '',
  },
]
