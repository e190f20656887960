import { copiesIn, copyPath, nameAt, type Data, type Draft, type Element } from './oracle.ts'

/** An edit by paths, as a user makes it. */
export type Action =
  | { readonly kind: 'put' | 'put-over-shown'; readonly path: string; readonly data: Data }
  | { readonly kind: 'make-directory'; readonly path: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'move' | 'copy'; readonly from: string; readonly to: string }
  | { readonly kind: 'set'; readonly path: string; readonly mtimeMs: number }

/** Replaces what was seen at a path before, which need not be what is there now. */
export interface PutOverSeen {
  readonly kind: 'put-over-seen'
  readonly path: string
  readonly data: Data
  /** Commits that had put what was seen. */
  readonly seen: ReadonlySet<string>
}

/** An action that must be refused. */
export class Refused extends Error {}

/**
 * What an action means, on the plain list of all that a replica sees. Returns the list as it is afterwards: what is
 * still the same object was not touched. @throws Refused
 */
export function perform(elements: readonly Draft[], action: Action | PutOverSeen): Draft[] {
  const desk = new Desk(elements)
  switch (action.kind) {
    case 'put':
      desk.makeDirectories(parentOf(action.path))
      desk.place(action.path, [{ path: action.path, data: action.data }])
      break
    case 'put-over-shown':
      desk.makeDirectories(parentOf(action.path))
      desk.placeOverShown(action.path, action.data)
      break
    case 'put-over-seen':
      desk.makeDirectories(parentOf(action.path))
      desk.placeOver(
        action,
        (element) => 'addedBy' in element && action.seen.has((element as Element).addedBy),
      )
      break
    case 'make-directory':
      desk.makeDirectories(action.path)
      break
    case 'remove':
      if (desk.take(action.path) === undefined) throw new Refused('not found')
      desk.adopt(parentOf(action.path))
      break
    case 'move':
    case 'copy':
      desk.move(action)
      break
    case 'set': {
      const found = desk.find(action.path)
      if (found === undefined || found.isDirectory) throw new Refused('no file')
      const data = found.drafts[0]?.data as Data
      const changed = { path: action.path, data: { ...data, mtimeMs: action.mtimeMs } }
      desk.place(action.path, [changed])
      desk.adopt(parentOf(action.path))
      break
    }
  }
  return desk.elements
}

interface Found {
  readonly isDirectory: boolean
  /** New elements with what is there. */
  readonly drafts: readonly Draft[]
}

/** The list of all that a replica sees, while edits change it. */
export class Desk {
  elements: Draft[]

  constructor(elements: readonly Draft[]) {
    this.elements = [...elements]
  }

  makeDirectories(path: string): void {
    for (const directory of pathsTo(path)) {
      const { contents, isDirectory } = nameAt(this.elements, directory)
      const isCopy = copiesIn(this.elements, parentOf(directory)).has(directory)
      if (!isDirectory && (contents.length > 0 || isCopy)) throw new Refused('a file is in the way')
      this.#mark(directory)
    }
  }

  /** Whoever works in a directory makes it theirs. */
  adopt(path: string): void {
    for (const directory of pathsTo(path)) this.#mark(directory)
  }

  find(path: string): Found | undefined {
    for (const directory of pathsTo(parentOf(path))) {
      if (!nameAt(this.elements, directory).isDirectory) return undefined
    }
    const { contents, isDirectory } = nameAt(this.elements, path)
    if (isDirectory) {
      const inside = this.elements.filter((element) => element.path.startsWith(`${path}/`))
      const markers = new Set<string>([path])
      for (const element of inside) {
        for (const directory of pathsTo(element.data ? parentOf(element.path) : element.path)) {
          if (directory.startsWith(path)) markers.add(directory)
        }
      }
      const files = inside.filter(({ data }) => data !== undefined)
      return {
        isDirectory,
        drafts: [
          ...[...markers].map((path) => ({ path })),
          ...files.map(({ path, data }) => ({ path, data })),
        ],
      }
    }
    const data = contents[0]?.data ?? copiesIn(this.elements, parentOf(path)).get(path)?.data
    return data && { isDirectory, drafts: [{ path, data }] }
  }

  /** Takes what is shown at a path; the rest of its conflict becomes ordinary files. */
  take(path: string): Found | undefined {
    const found = this.find(path)
    if (found === undefined) return undefined
    const { contents, isDirectory } = nameAt(this.elements, path)
    const shown = copiesIn(this.elements, parentOf(path))
    if (contents.length === 0 && !isDirectory) {
      const copy = shown.get(path)
      this.elements = this.elements.filter((element) => copy?.elements.includes(element) !== true)
      return found
    }
    this.elements = this.elements.filter(
      (element) => element.path !== path && !(isDirectory && element.path.startsWith(`${path}/`)),
    )
    for (const { data } of isDirectory ? contents : contents.slice(1)) {
      const known = [...shown].find(([, copy]) => copy.path === path && copy.data === data)
      this.elements.push({ path: known?.[0] ?? copyPath(path, data, 1), data })
    }
    return found
  }

  place(path: string, drafts: readonly Draft[]): void {
    if (nameAt(this.elements, path).isDirectory) throw new Refused('a directory is in the way')
    this.take(path)
    this.elements.push(...drafts)
  }

  /** Replaces the entry that is shown, and leaves all else under the name. */
  placeOverShown(path: string, data: Data): void {
    const shown = nameAt(this.elements, path).contents[0]?.data
    this.placeOver(
      { path, data },
      (element) => shown !== undefined && isSame(element.data as Data, shown),
    )
  }

  placeOver(
    { path, data }: { path: string; data: Data },
    isReplaced: (element: Draft) => boolean,
  ): void {
    this.elements = this.elements.filter(
      (element) =>
        element.path !== path ||
        element.data === undefined ||
        !(isSame(element.data, data) || isReplaced(element)),
    )
    this.elements.push({ path, data })
  }

  move({ kind, from, to }: { kind: 'move' | 'copy'; from: string; to: string }): void {
    const found = this.find(from)
    if (found === undefined) throw new Refused('not found')
    if (from === to) return
    if (found.isDirectory && to.startsWith(`${from}/`)) throw new Refused('into itself')
    this.makeDirectories(parentOf(to))
    if (kind === 'move') {
      this.take(from)
      this.adopt(parentOf(from))
    }
    const moved = found.drafts.map(({ path, data }) => ({
      path: to + path.slice(from.length),
      data,
    }))
    this.place(to, moved)
  }

  #mark(path: string): void {
    const isMarked = this.elements.some(
      (element) => element.path === path && element.data === undefined,
    )
    if (!isMarked) this.elements.push({ path })
  }
}

function isSame(a: Data, b: Data): boolean {
  return a.text === b.text && a.mtimeMs === b.mtimeMs && a.device === b.device
}

export function parentOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
}

/** `a`, `a/b`, `a/b/c` for `a/b/c`. */
function pathsTo(path: string): string[] {
  const names = path === '' ? [] : path.split('/')
  return names.map((_, at) => names.slice(0, at + 1).join('/'))
}
