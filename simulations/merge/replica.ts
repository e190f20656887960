import { commitEdits } from '../../src/folders/commit/commit.ts'
import type { Edit } from '../../src/folders/commit/edits.ts'
import type { Directory, Entry } from '../../src/folders/entry.ts'
import { parsePath, type Path } from '../../src/folders/names.ts'
import type { FolderState } from '../../src/folders/state.ts'
import type { Node } from '../../src/folders/tree/node-codec.ts'
import { openDirectory, openRoot, partOf, storeDirectory } from '../../src/folders/tree/part.ts'
import { ROOT_TOP, TOP, type Position } from '../../src/folders/tree/position.ts'
import { lookUp, readEntries } from '../../src/folders/tree/read.ts'
import type { TreeStore } from '../../src/folders/tree/store.ts'
import { contentsOf } from '../../src/folders/versions.ts'
import { utf8 } from '../../src/foundation/bytes.ts'
import type { Dot, TagHex, VersionVector } from '../../src/protocol/version-vector.ts'
import type { Draft, Element } from './oracle.ts'
import type { Action } from './user.ts'

/** One device: what the real code holds for it. */
export interface Replica {
  readonly name: string
  readonly tag: TagHex
  state: FolderState
}

export async function commitActions(
  store: TreeStore,
  { state, tag, name }: Replica,
  actions: readonly Action[],
): Promise<FolderState> {
  const edits: Edit[] = []
  for (const action of actions) edits.push(await editOf(store, state, action))
  return await commitEdits(store, state, edits, { tag, device: name })
}

/** All entries of a state, each `path|content|dots`, sorted. */
export async function flatten(store: TreeStore, state: FolderState): Promise<string[]> {
  const lines: string[] = []
  await collect(store, await openRoot(store, state.root), '', lines)
  return lines.sort()
}

/** The same lines of what the oracle says is visible. */
export function flattenElements(elements: readonly Draft[]): string[] {
  const events = new Map<string, Set<string>>()
  for (const element of elements as readonly Element[]) {
    const { path, data, addedBy } = element
    const key = `${path}|${data ? `${data.text} ${data.mtimeMs} ${data.device}` : '/'}`
    const known = events.get(key)
    if (known === undefined) events.set(key, new Set([addedBy]))
    else known.add(addedBy)
    // What is in a directory implies it.
    const names = path.split('/')
    for (let depth = 1; depth < names.length; depth++) {
      const implied = `${names.slice(0, depth).join('/')}|/`
      if (!events.has(implied)) events.set(implied, new Set())
    }
  }
  return [...events].map(([key, by]) => `${key}|${[...by].sort().join(', ')}`).sort()
}

/** Builds a state's tree anew from its entries in another order; equal trees have equal roots. */
export async function rebuildRoot(
  store: TreeStore,
  { root }: FolderState,
  shuffle: (entries: readonly Entry[]) => readonly Entry[],
): Promise<Directory> {
  return await rebuild(store, await openRoot(store, root), ROOT_TOP, shuffle)
}

async function rebuild(
  store: TreeStore,
  node: Node,
  position: Position,
  shuffle: (entries: readonly Entry[]) => readonly Entry[],
): Promise<Directory> {
  const entries: Entry[] = []
  for (const entry of await readEntries(store, node)) {
    if (entry.kind === 'directory') {
      const below = await rebuild(store, await openDirectory(store, entry), TOP, shuffle)
      entries.push({ ...entry, ...below })
    } else {
      entries.push({ ...entry })
    }
  }
  return await storeDirectory(store, await partOf(store, shuffle(entries), position), position)
}

async function collect(store: TreeStore, node: Node, path: string, lines: string[]): Promise<void> {
  for (const entry of await readEntries(store, node)) {
    const here = path + entry.name
    lines.push(`${here}|${describe(entry)}|${describeDots(entry.dots)}`)
    if (entry.kind === 'directory') {
      await collect(store, await openDirectory(store, entry), `${here}/`, lines)
    }
  }
}

function describe(entry: Entry): string {
  if (entry.kind === 'directory') return '/'
  const text = entry.kind === 'literal' ? new TextDecoder().decode(entry.bytes) : entry.kind
  return `${text} ${entry.mtimeMs} ${entry.device}`
}

function describeDots(dots: VersionVector): string {
  return [...dots]
    .map(([tag, counter]) => `${tag} ${counter}`)
    .sort()
    .join(', ')
}

async function editOf(store: TreeStore, state: FolderState, action: Action): Promise<Edit> {
  switch (action.kind) {
    case 'put':
    case 'put-over-shown': {
      const { text, mtimeMs } = action.data
      const content = { kind: 'literal' as const, bytes: utf8(text), mtimeMs }
      const path = parsePath(action.path)
      if (action.kind === 'put') return { kind: 'put', path, content }
      return { kind: 'put', path, content, replaces: await shownDots(store, state, path) }
    }
    case 'make-directory':
    case 'remove':
      return { kind: action.kind, path: parsePath(action.path) }
    case 'move':
    case 'copy':
      return { kind: action.kind, from: parsePath(action.from), to: parsePath(action.to) }
    case 'set':
      return { kind: 'set', path: parsePath(action.path), mtimeMs: action.mtimeMs }
  }
}

/** The dots of the file that is newest under a name. */
async function shownDots(store: TreeStore, state: FolderState, path: Path): Promise<Dot[]> {
  let node = await openRoot(store, state.root)
  for (const [at, name] of path.entries()) {
    const { versions, directory } = await lookUp(store, node, name)
    if (at === path.length - 1) {
      const [newest] = contentsOf(versions)
      return [...(newest?.shown.dots ?? [])].map(([tag, counter]) => ({ tag, counter }))
    }
    if (directory === undefined) return []
    node = await openDirectory(store, directory)
  }
  return []
}
