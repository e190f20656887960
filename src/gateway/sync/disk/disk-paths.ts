import { basename, join } from 'node:path'
import type { Name } from '../../../folders/names.ts'
import { parentOf, pathOf, type PathText } from '../trees.ts'
import { diskName, EXACT_NAMES, foldedName, type NameRules } from './disk-names.ts'

/**
 * Where paths of the grid lie on the disk. Names that the disk has in another form than they would be written are
 * remembered, and so is, on a disk that folds names, who has which.
 */
export class DiskPaths {
  readonly root: string
  rules: NameRules = EXACT_NAMES
  readonly #seen = new Map<PathText, string>()
  /** Of directories: names as the disk tells them apart, and the grid's names that have them. */
  readonly #holders = new Map<PathText | '', Map<string, Name>>()

  constructor(root: string) {
    this.root = root
  }

  /** An absolute path. It lies in the root, since names hold no separators and are neither `.` nor `..`. */
  of(path: PathText): string {
    const isPlain = this.#seen.size === 0 && this.#holders.size === 0 && !this.rules.isReserving
    if (isPlain) return join(this.root, path)
    let here = '' as PathText | ''
    const parts = pathOf(path).map((name) => {
      const directory = here
      here = (here === '' ? name : `${here}/${name}`) as PathText
      return this.#seen.get(here) ?? this.#freeName(directory, name)
    })
    return join(this.root, ...parts)
  }

  /** A directory is about to be looked at anew; empty: the root. */
  forget(directory: PathText | ''): void {
    this.#holders.delete(directory)
  }

  /** The disk has a path by this name. */
  saw(path: PathText, name: Name, raw: string): void {
    if (raw === diskName(name, this.rules)) this.#seen.delete(path)
    else this.#seen.set(path, raw)
    if (!this.rules.isFolding) return
    const directory = parentOf(path) ?? ''
    const holders = this.#holders.get(directory) ?? new Map<string, Name>()
    this.#holders.set(directory, holders.set(foldedName(raw), name))
  }

  /** Something was put at a path, as {@link of} told. */
  put(path: PathText): void {
    const name = pathOf(path).at(-1)
    if (name === undefined || !this.rules.isFolding) return
    this.saw(path, name, basename(this.of(path)))
  }

  /** What was at a path is gone. */
  took(path: PathText): void {
    const name = pathOf(path).at(-1)
    if (name === undefined || !this.rules.isFolding) return
    const raw = this.#seen.get(path) ?? diskName(name, this.rules)
    this.#holders.get(parentOf(path) ?? '')?.delete(foldedName(raw))
    this.#seen.delete(path)
  }

  /** The same of a directory, with all that was in it. */
  tookAll(path: PathText): void {
    this.took(path)
    const isWithin = (other: string): boolean => other === path || other.startsWith(`${path}/`)
    for (const other of this.#seen.keys()) if (isWithin(other)) this.#seen.delete(other)
    for (const other of this.#holders.keys()) if (isWithin(other)) this.#holders.delete(other)
  }

  /** A name that no other of the directory's has. */
  #freeName(directory: PathText | '', name: Name): string {
    const holders = this.#holders.get(directory)
    for (let clashes = 0; ; clashes++) {
      const raw = diskName(name, this.rules, clashes)
      const holder = holders?.get(foldedName(raw))
      if (holder === undefined || holder === name) return raw
    }
  }
}
