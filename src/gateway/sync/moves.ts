import type { Pull, PullContent, PullRemoval } from './steps.ts'

/**
 * Where one path is to lose a file and another to get the same content, the file is moved. A file that is to replace
 * another is fetched all the same: a move could not be undone half-way.
 */
export function pairMoves(pulls: readonly Pull[]): Pull[] {
  const leaving = new Map<string, PullRemoval[]>()
  for (const step of pulls) {
    if (step.kind !== 'pull-removal' || step.expects.kind !== 'file') continue
    const { key } = step.expects
    const same = leaving.get(key)
    if (same === undefined) leaving.set(key, [step])
    else same.push(step)
  }
  if (leaving.size === 0) return [...pulls]
  const moved = new Set<Pull>()
  const steps = pulls.map((step): Pull => {
    const from = step.kind === 'pull' ? sourceOf(step, leaving) : undefined
    if (from === undefined) return step
    moved.add(from)
    return moving(step as PullContent, from)
  })
  return steps.filter((step) => !moved.has(step))
}

function sourceOf(
  { node, expects }: PullContent,
  leaving: ReadonlyMap<string, PullRemoval[]>,
): PullRemoval | undefined {
  if (node.kind !== 'file' || expects !== undefined) return undefined
  return leaving.get(node.key)?.pop()
}

function moving({ path, node }: PullContent, { path: from, expects }: PullRemoval): Pull {
  if (node.kind !== 'file' || expects.kind !== 'file') throw new Error('files alone are moved')
  return { kind: 'pull-move', from, path, node, expects }
}
