import type { FileStats } from '../../../src/gateway/sync/disk/file-system.ts'
import type { Clock } from '../../../src/foundation/clock.ts'
import type { SeededRandomness } from '../../randomness.ts'

/** How a disk takes names, times and links. */
export interface VolumeKind {
  /** Whether it tells upper from lower case, and forms of Unicode. */
  readonly names: 'exact' | 'folding' | 'normalizing'
  /** Times are cut to so many ns: 1 on ext4, 2 s on FAT. */
  readonly timeStepNs: bigint
  readonly hasLinks: boolean
}

export class Inode {
  readonly number: bigint
  readonly kind: 'file' | 'directory' | 'symlink' | 'pipe'
  bytes = new Uint8Array()
  durableBytes = new Uint8Array()
  target = ''
  mode = 0o644
  /** Names that lead to it. */
  links = 0
  /** A program may still write to it. */
  isOpen = false
  mtimeNs = 0n
  ctimeNs = 0n
  /** Of a directory, by what the disk takes for the same name. */
  names = new Map<string, Named>()
  durableNames = new Map<string, Named>()

  constructor(number: bigint, kind: Inode['kind']) {
    this.number = number
    this.kind = kind
  }
}

interface Named {
  readonly name: string
  readonly inode: Inode
}

/** One change of names, all or nothing at a power cut; undefined takes a name away. */
interface Edit {
  readonly directory: Inode
  readonly name: string
  readonly inode: Inode | undefined
}

interface Operation {
  readonly edits: readonly Edit[]
  isDurable: boolean
}

/** A failed call, as the system's own are. */
export function failure(code: string, at: string): Error {
  return Object.assign(new Error(`${code}: ${at}`), { code })
}

/**
 * A disk in memory: inodes whose numbers are used again, names that lead to them, and of both what would be left after a
 * power cut. Names become durable when their directory is synced, and what was done to them before with them; contents
 * when the file is.
 */
export class Volume {
  readonly kind: VolumeKind
  readonly root = new Inode(1n, 'directory')
  readonly #clock: Clock
  readonly #randomness: SeededRandomness
  readonly #freeNumbers: bigint[] = []
  #operations: Operation[] = []
  #nextNumber = 2n

  constructor(kind: VolumeKind, clock: Clock, randomness: SeededRandomness) {
    this.kind = kind
    this.#clock = clock
    this.#randomness = randomness
  }

  /** @throws ENOENT, ENOTDIR */
  find(at: string): Inode {
    let inode = this.root
    for (const name of namesOf(at)) inode = this.#child(inode, name, at)
    return inode
  }

  has(at: string): boolean {
    try {
      this.find(at)
      return true
    } catch {
      return false
    }
  }

  parent(at: string): { directory: Inode; name: string } {
    const names = namesOf(at)
    const name = names.pop() ?? ''
    const directory = this.find(names.join('/'))
    if (directory.kind !== 'directory') throw failure('ENOTDIR', at)
    return { directory, name }
  }

  list(at: string): string[] {
    const inode = this.find(at)
    if (inode.kind !== 'directory') throw failure('ENOTDIR', at)
    return [...inode.names.values()].map(({ name }) => name)
  }

  make(kind: Inode['kind']): Inode {
    // As real disks do, so that an inode's number alone says little.
    const isUsedAgain = this.#freeNumbers.length > 0 && this.#randomness.chance(0.5)
    const number = isUsedAgain ? (this.#freeNumbers.pop() ?? 0n) : this.#nextNumber++
    const inode = new Inode(number, kind)
    this.touch(inode)
    return inode
  }

  /** @throws EEXIST, ENOENT, ENOTDIR */
  add(at: string, inode: Inode): void {
    const { directory, name } = this.parent(at)
    if (directory.names.has(this.#key(name))) throw failure('EEXIST', at)
    this.#change([{ directory, name, inode }])
    this.#changed(inode)
  }

  remove(at: string): void {
    const inode = this.find(at)
    if (inode.kind === 'directory' && inode.names.size > 0) throw failure('ENOTEMPTY', at)
    this.#change([{ ...this.parent(at), inode: undefined }])
    this.#changed(inode)
  }

  rename(from: string, to: string): void {
    const inode = this.find(from)
    const source = this.parent(from)
    const target = this.parent(to)
    const there = target.directory.names.get(this.#key(target.name))?.inode
    if (there === inode && source.directory === target.directory && source.name === target.name) {
      return
    }
    if (
      there !== undefined &&
      there !== inode &&
      (there.kind === 'directory') !== (inode.kind === 'directory')
    ) {
      throw failure(there.kind === 'directory' ? 'EISDIR' : 'ENOTDIR', to)
    }
    if (there?.kind === 'directory' && there !== inode && there.names.size > 0) {
      throw failure('ENOTEMPTY', to)
    }
    this.#change([
      { ...source, inode: undefined },
      { ...target, inode },
    ])
    this.#changed(inode)
  }

  write(inode: Inode, bytes: Uint8Array): void {
    inode.bytes = new Uint8Array(bytes)
    this.touch(inode)
  }

  /** Its content has changed now. */
  touch(inode: Inode): void {
    inode.mtimeNs = this.#nowNs()
    inode.ctimeNs = inode.mtimeNs
  }

  setTime(inode: Inode, mtimeMs: number): void {
    const ns = BigInt(Math.round(mtimeMs)) * 1_000_000n
    inode.mtimeNs = ns - (ns % this.kind.timeStepNs)
    inode.ctimeNs = this.#nowNs()
  }

  /** What was done to the names in a directory is durable, and so is what that was built on. */
  syncDirectory(directory: Inode): void {
    const directories = new Set([directory])
    for (const operation of this.#operations.toReversed()) {
      if (!operation.edits.some((edit) => directories.has(edit.directory))) continue
      operation.isDurable = true
      for (const edit of operation.edits) directories.add(edit.directory)
    }
    while (this.#operations[0]?.isDurable === true) {
      for (const edit of this.#operations.shift()?.edits ?? []) {
        this.#apply(edit.directory.durableNames, edit)
      }
    }
  }

  /** Everything that was done so far is durable, as after half a minute of peace. */
  settle(): void {
    for (const { edits } of this.#operations) {
      for (const edit of edits) this.#apply(edit.directory.durableNames, edit)
    }
    this.#operations = []
    this.#visit(this.root, (inode) => {
      inode.durableBytes = inode.bytes
    })
  }

  /** What is not durable is lost, some of it: never an operation without those before it on the same directories. */
  cutPower(): void {
    const cut = new Set<Inode>()
    for (const { edits, isDurable } of this.#operations) {
      const isLost =
        edits.some(({ directory }) => cut.has(directory)) ||
        (!isDurable && this.#randomness.chance(0.4))
      for (const edit of edits) {
        if (isLost) cut.add(edit.directory)
        else this.#apply(edit.directory.durableNames, edit)
      }
    }
    this.#operations = []
    this.#restore(this.root)
    this.#visit(this.root, (inode) => {
      inode.links = 0
    })
    this.#visit(this.root, ({ names }) => {
      for (const { inode } of names.values()) inode.links++
    })
  }

  stats(inode: Inode): FileStats {
    const { kind, number: ino, mtimeNs, ctimeNs } = inode
    return {
      size: BigInt(inode.bytes.length),
      ino,
      nlink: BigInt(inode.links),
      mode: BigInt(inode.mode),
      mtimeNs,
      ctimeNs,
      mtimeMs: mtimeNs / 1_000_000n,
      ctimeMs: ctimeNs / 1_000_000n,
      isFile: () => kind === 'file',
      isDirectory: () => kind === 'directory',
      isSymbolicLink: () => kind === 'symlink',
      isFIFO: () => kind === 'pipe',
      isSocket: () => false,
    }
  }

  #restore(inode: Inode): void {
    if (inode.kind === 'directory') {
      inode.names = new Map(inode.durableNames)
      for (const { inode: child } of inode.names.values()) this.#restore(child)
    } else if (this.#randomness.chance(0.7)) inode.bytes = inode.durableBytes
    inode.durableBytes = inode.bytes
  }

  #visit(inode: Inode, visitor: (inode: Inode) => void): void {
    visitor(inode)
    for (const { inode: child } of inode.names.values()) this.#visit(child, visitor)
  }

  #child(directory: Inode, name: string, at: string): Inode {
    if (directory.kind !== 'directory') throw failure('ENOTDIR', at)
    const found = directory.names.get(this.#key(name))
    if (found === undefined) throw failure('ENOENT', at)
    return found.inode
  }

  #change(edits: readonly Edit[]): void {
    const left: Inode[] = []
    for (const edit of edits) {
      const there = edit.directory.names.get(this.#key(edit.name))?.inode
      this.#apply(edit.directory.names, edit)
      if (edit.inode !== undefined) edit.inode.links++
      if (there === undefined) continue
      there.links--
      left.push(there)
    }
    for (const { links, isOpen, number } of left) {
      if (links === 0 && !isOpen) this.#freeNumbers.push(number)
    }
    this.#operations.push({ edits, isDurable: false })
  }

  #apply(names: Map<string, Named>, { name, inode }: Edit): void {
    const key = this.#key(name)
    names.delete(key)
    if (inode !== undefined) names.set(key, { name: this.#written(name), inode })
  }

  #changed(inode: Inode): void {
    inode.ctimeNs = this.#nowNs()
  }

  #key(name: string): string {
    const form = this.kind.names === 'exact' ? name : name.normalize('NFC')
    return this.kind.names === 'folding' ? form.toLowerCase() : form
  }

  #written(name: string): string {
    return this.kind.names === 'normalizing' ? name.normalize('NFD') : name
  }

  #nowNs(): bigint {
    const fraction = this.#clock.monotonicMs() % 1
    const ns = BigInt(this.#clock.nowMs()) * 1_000_000n + BigInt(Math.floor(fraction * 1e6))
    return ns - (ns % this.kind.timeStepNs)
  }
}

function namesOf(at: string): string[] {
  return at.split('/').filter((name) => name !== '')
}
