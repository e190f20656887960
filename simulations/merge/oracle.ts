/**
 * What a folder must hold, told by its whole history: every commit that ever was, and who had seen what when. It knows
 * no clocks, no dots and no trees, only sets of events; that makes it slow, and easy to believe.
 */
export class CausalOracle {
  readonly #elements: Element[] = []
  readonly #seen = new Map<string, Set<string>>()

  /** What a replica sees: what it has seen put and has not seen removed. */
  visible(replica: string): Element[] {
    const seen = this.#eventsOf(replica)
    return this.#elements.filter(
      ({ addedBy, removedBy }) => seen.has(addedBy) && !removedBy.some((event) => seen.has(event)),
    )
  }

  /** @param after what the commit left of what was visible, and what it added */
  commit(replica: string, event: string, after: readonly Draft[]): void {
    const kept = new Set(after)
    for (const element of this.visible(replica)) {
      if (!kept.has(element)) element.removedBy.push(event)
    }
    for (const draft of after) {
      if ('addedBy' in draft) continue
      this.#elements.push({ ...draft, addedBy: event, removedBy: [] })
    }
    this.#eventsOf(replica).add(event)
  }

  /** Lets a commit make as if earlier ones had added nothing, for all who see it. */
  undo(event: string, earlier: ReadonlySet<string>): void {
    for (const { addedBy, removedBy } of this.#elements) {
      if (earlier.has(addedBy)) removedBy.push(event)
    }
  }

  /** All that was ever put. */
  get elements(): readonly Element[] {
    return this.#elements
  }

  /** The commits that a replica has seen. */
  seenBy(replica: string): ReadonlySet<string> {
    return this.#eventsOf(replica)
  }

  merge(into: string, from: readonly string[]): void {
    const seen = this.#eventsOf(into)
    for (const replica of from) for (const event of this.#eventsOf(replica)) seen.add(event)
  }

  /** Makes `twin` see what `replica` sees now. */
  copy(replica: string, twin: string): void {
    this.#seen.set(twin, new Set(this.#eventsOf(replica)))
  }

  #eventsOf(replica: string): Set<string> {
    let seen = this.#seen.get(replica)
    if (seen === undefined) this.#seen.set(replica, (seen = new Set()))
    return seen
  }
}

/** Something at a path: a file's content, or that a directory was made. */
export interface Draft {
  /** Names joined by slashes. */
  readonly path: string
  /** Undefined for a directory. */
  readonly data?: Data | undefined
}

export interface Element extends Draft {
  /** `<tag> <counter>` of the commit. */
  readonly addedBy: string
  readonly removedBy: string[]
}

export interface Data {
  readonly text: string
  readonly mtimeMs: number
  readonly device: string
}

/** A path's versions and directory, as far as one replica sees. */
export interface OracleName {
  /** Different contents, the one that is shown first. */
  readonly contents: { readonly data: Data; readonly elements: readonly Draft[] }[]
  readonly isDirectory: boolean
}

export function nameAt(elements: readonly Draft[], path: string): OracleName {
  const versions = elements.filter((element) => element.path === path && element.data !== undefined)
  versions.sort((a, b) => -compareDrafts(a, b))
  const contents: { data: Data; elements: Draft[] }[] = []
  for (const version of versions) {
    const data = version.data as Data
    const same = contents.find((content) => content.data.text === data.text)
    if (same === undefined) contents.push({ data, elements: [version] })
    else same.elements.push(version)
  }
  const isDirectory = elements.some(
    (element) =>
      element.path.startsWith(`${path}/`) || (element.path === path && element.data === undefined),
  )
  return { contents, isDirectory }
}

/** Copies shown in one directory: shown path → the version behind it. */
export function copiesIn(
  elements: readonly Draft[],
  directory: string,
): Map<
  string,
  { readonly path: string; readonly data: Data; readonly elements: readonly Draft[] }
> {
  const depth = directory === '' ? 0 : directory.split('/').length
  const below =
    directory === '' ? elements : elements.filter(({ path }) => path.startsWith(`${directory}/`))
  const paths = [
    ...new Set(
      below.map(({ path }) =>
        path
          .split('/')
          .slice(0, depth + 1)
          .join('/'),
      ),
    ),
  ]
  const shown = new Map<string, { path: string; data: Data; elements: readonly Draft[] }>()
  for (const path of paths.toSorted()) {
    const { contents, isDirectory } = nameAt(elements, path)
    for (const { data, elements } of isDirectory ? contents : contents.slice(1)) {
      let number = 1
      while (
        paths.includes(copyPath(path, data, number)) ||
        shown.has(copyPath(path, data, number))
      ) {
        number += 1
      }
      shown.set(copyPath(path, data, number), { path, data, elements })
    }
  }
  return shown
}

export function copyPath(path: string, { device, mtimeMs }: Data, number: number): string {
  const slash = path.lastIndexOf('/') + 1
  const dot = path.lastIndexOf('.')
  const split = dot > slash ? dot : path.length
  const time = new Date(mtimeMs).toISOString().slice(0, 19).replace('T', ' ').replaceAll(':', '')
  const suffix = number === 1 ? '' : ` ${number}`
  return `${path.slice(0, split)} (conflict ${device} ${time}${suffix})${path.slice(split)}`
}

/** Oldest first: by time, by commit, and of what was moved together by device and text (all are of one length). */
function compareDrafts(a: Draft, b: Draft): number {
  const [dataA, dataB] = [a.data as Data, b.data as Data]
  if (dataA.mtimeMs !== dataB.mtimeMs) return dataA.mtimeMs - dataB.mtimeMs
  const order = compareEvents(eventOf(a), eventOf(b))
  if (order !== 0) return order
  const [bytesA, bytesB] = [dataA, dataB].map(({ device, text }) => `${device} ${text}`)
  return (bytesA as string) < (bytesB as string) ? -1 : bytesA === bytesB ? 0 : 1
}

function eventOf(draft: Draft): string {
  return 'addedBy' in draft ? (draft as Element).addedBy : ''
}

/** By counter, then by tag. */
function compareEvents(a: string, b: string): number {
  if (a === b) return 0
  const [tagA = '', counterA = ''] = a.split(' ')
  const [tagB = '', counterB = ''] = b.split(' ')
  return Number(counterA) - Number(counterB) || (tagA < tagB ? -1 : 1)
}
