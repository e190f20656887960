import type { Mutant } from '../mutant.ts'

/** Ways to break the merge that lose or invent data. */
export const MERGE_MUTANTS: readonly Mutant[] = [
  {
    name: 'last writer wins',
    file: 'src/folders/merge.ts',
    right: 'return (await Promise.all(merged)).filter((entry) => entry !== undefined)',
    wrong: `const all = (await Promise.all(merged)).filter((entry) => entry !== undefined)
    const newest = all.filter(({ kind }) => kind !== 'directory').sort((a, b) => b.mtimeMs - a.mtimeMs)[0]
    return all.filter((entry) => entry.kind === 'directory' || entry === newest)`,
  },
  {
    name: 'no clock check: what one side lacks always comes back',
    file: 'src/folders/merge.ts',
    right: 'return !hasSeen || witness.sides.some((at) => sides[at]?.get(tag) === counter)',
    wrong: 'return true',
  },
  {
    name: 'no clock check: what one side lacks always goes',
    file: 'src/folders/merge.ts',
    right: 'return !hasSeen || witness.sides.some((at) => sides[at]?.get(tag) === counter)',
    wrong: 'return witness.sides.some((at) => sides[at]?.get(tag) === counter)',
  },
  {
    name: 'no collapse: equal contents appear as copies',
    file: 'src/folders/versions.ts',
    right: 'const key = contentKeyOf(version)',
    wrong: 'const key = String(byContent.size)',
  },
  {
    name: 'equal entries keep only their greatest dot',
    file: 'src/folders/merge.ts',
    right: 'if (isKept) merged.set(tag, counter)',
    wrong: `if (!isKept) continue
        for (const [other, least] of merged) if (least <= counter) merged.delete(other)
        if (merged.size === 0) merged.set(tag, counter)`,
  },
  {
    name: 'a removed directory takes along what others put into it',
    file: 'src/folders/merge.ts',
    right: 'const content = await this.#directories(sides)',
    wrong: `if (dots.size === 0) return undefined
    const content = await this.#directories(sides)`,
  },
  {
    name: 'a subtree counts as unseen when only its last change is',
    file: 'src/folders/dots.ts',
    right: 'if ((clock.get(tag) ?? 0) >= least) return false',
    wrong: 'if ((clock.get(tag) ?? 0) >= (span.ranges.get(tag)?.greatest ?? least)) return false',
  },
  {
    name: 'what is moved keeps its dots',
    file: 'src/folders/tree/rewrite.ts',
    right: 'const dots = singleDot(stamp)',
    wrong: 'if (stamp !== undefined) return entries\n  const dots = singleDot(stamp)',
  },
]
