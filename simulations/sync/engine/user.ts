import { dirname } from 'node:path'
import type { Clock } from '../../../src/foundation/clock.ts'
import { utf8 } from '../../../src/foundation/bytes.ts'
import type { SeededRandomness } from '../../randomness.ts'
import { textOf, type EngineDevice } from './device.ts'
import type { Contents } from './contents.ts'
import { ROOT } from './places.ts'
import type { Inode } from './volume.ts'

const NAMES = ['a', 'b', 'c.txt', 'd', 'A', 'caf\u00e9']

/** Of a text, so that it has its number and no other half is like it. */
const HALF_LENGTH = 'content 000000'.length

export interface UserOptions {
  readonly device: EngineDevice
  readonly clock: Clock
  readonly randomness: SeededRandomness
  readonly note: (text: string) => void
  /** Of all users. */
  readonly contents: Contents
  /** It moves directories more than anything else. */
  readonly isMoving: boolean
  /** A number that no other content has. */
  readonly nextNumber: () => number
}

/** Works on one device's disk, as people and their programs do. What they do is durable at once. */
export class EngineUser {
  readonly #options: UserOptions
  /** Files that are half written. */
  readonly #open: { readonly inode: Inode; readonly at: string; readonly text: string }[] = []

  constructor(options: UserOptions) {
    this.#options = options
  }

  /** One thing, if it can be done. */
  act(): void {
    const { device, randomness } = this.#options
    if (!device.isMounted) return
    this.#noting(() => this.#actOrFail(randomness.below(100)))
  }

  /** Ends one thing that was begun. */
  endOne(): void {
    if (this.#options.device.isMounted) this.#noting(() => this.#endWriting())
  }

  /** Ends what was begun. */
  finish(): void {
    if (this.#options.device.isMounted) this.#noting(() => this.#endAll())
  }

  #noting(work: () => void): void {
    const listed = this.#options.device.listing()
    this.#doing(() => {
      try {
        work()
      } catch (error) {
        // As programs are told by the system that something cannot be done.
        if (!(error instanceof Error) || !('code' in error)) throw error
      }
    })
    this.#tellChanges(listed)
  }

  #doing(work: () => void): void {
    const { device, contents } = this.#options
    const before = pathsByText(device)
    work()
    device.volume.settle()
    contents.change(device.name, before, pathsByText(device))
  }

  /** As a watcher does: by directories. */
  #tellChanges(before: ReadonlyMap<string, string>): void {
    const { device } = this.#options
    const after = device.listing()
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
      (path) => before.get(path) !== after.get(path),
    )
    if (changed.length === 0) device.changed()
    for (const path of changed) device.changed(dirname(`${ROOT}/${path.replace(/\/$/, '')}`))
  }

  #endAll(): void {
    while (this.#open.length > 0) this.#endWriting()
  }

  /** Many files at once. */
  fill(count: number): void {
    const { device } = this.#options
    this.#doing(() => {
      for (let file = 0; file < count; file++) this.#create(`${ROOT}/many ${file}`)
    })
    device.changed()
  }

  /** Directories with something in them, for {@link UserOptions.isMoving} to move. */
  furnish(): void {
    const { device } = this.#options
    this.#doing(() => {
      for (const name of ['a', 'b', 'c.txt', 'd/a', 'd/b', 'd/d/c.txt'])
        this.#write(`${ROOT}/d/${name}`)
    })
    device.changed()
  }

  #actOrFail(what: number): void {
    const at = this.#path()
    if (this.#options.isMoving && what % 5 < 2) this.#moveDirectory()
    else if (what < 25) this.#write(at)
    else if (what < 32) this.#saveSafely(at)
    else if (what < 38) this.#saveWithBackup(at)
    else if (what < 46) this.#beginWriting(at)
    else if (what < 56) this.#endWriting()
    else if (what < 62) this.#makeDirectory(at)
    else if (what < 74) this.#remove(at)
    else if (what < 88) this.#move(at, this.#path())
    else if (what < 92) this.#run(at)
    else if (what < 95) this.#copyWithTimes(at, this.#path())
    else if (what < 98) this.#symlink(at)
    else this.#removeMost()
  }

  #write(at: string): void {
    const { volume } = this.#options.device
    if (!volume.has(at)) {
      this.#makePlace(at)
      this.#create(at)
      return
    }
    const inode = volume.find(at)
    if (inode.kind === 'file') this.#put(inode, this.#text(), at)
  }

  #saveSafely(at: string): void {
    const { volume } = this.#options.device
    this.#makePlace(at)
    const beside = `${at}.tmp${this.#options.nextNumber()}`
    this.#create(beside)
    volume.rename(beside, at)
  }

  #saveWithBackup(at: string): void {
    const { device, randomness } = this.#options
    if (device.volume.find(at).kind !== 'file') return
    device.volume.rename(at, `${at}~`)
    this.#create(at)
    if (randomness.chance(0.7)) device.volume.remove(`${at}~`)
  }

  /** A program that writes its file in two goes, and keeps it open. */
  #beginWriting(at: string): void {
    const { device, note, contents } = this.#options
    const { volume } = device
    if (!volume.has(at)) {
      this.#makePlace(at)
      volume.add(at, volume.make('file'))
    }
    const inode = volume.find(at)
    if (inode.kind !== 'file') return
    const text = this.#text()
    const half = text.slice(0, HALF_LENGTH)
    volume.write(inode, utf8(half))
    contents.write(half)
    inode.isOpen = true
    this.#open.push({ inode, at, text })
    note(`${device.name}'s user begins ${at}`)
  }

  #endWriting(): void {
    const next = this.#open.shift()
    if (next === undefined) return
    this.#put(next.inode, next.text, next.at)
    next.inode.isOpen = false
  }

  #makeDirectory(at: string): void {
    const { device, note } = this.#options
    device.volume.add(at, device.volume.make('directory'))
    note(`${device.name}'s user makes ${at}`)
  }

  #remove(at: string): void {
    const { device, note } = this.#options
    const { volume } = device
    if (volume.find(at).kind === 'directory') {
      for (const name of volume.list(at)) this.#remove(`${at}/${name}`)
    }
    volume.remove(at)
    note(`${device.name}'s user removes ${at}`)
  }

  #move(from: string, to: string): void {
    const { device, note } = this.#options
    if (to.startsWith(`${from}/`)) return
    device.volume.rename(from, to)
    note(`${device.name}'s user moves ${from} to ${to}`)
  }

  #moveDirectory(): void {
    const { device, randomness } = this.#options
    const directories = [...device.listing().keys()].filter((path) => path.endsWith('/'))
    if (directories.length === 0) return
    this.#move(`${ROOT}/${randomness.pick(directories).slice(0, -1)}`, this.#path())
  }

  #run(at: string): void {
    const inode = this.#options.device.volume.find(at)
    if (inode.kind !== 'file') return
    inode.mode = inode.mode === 0o644 ? 0o755 : 0o644
    this.#options.device.volume.setTime(inode, Number(inode.mtimeNs / 1_000_000n))
  }

  /** With the times of the original, as `cp -p` does. */
  #copyWithTimes(from: string, to: string): void {
    const { device, note } = this.#options
    const { volume } = device
    const original = volume.find(from)
    if (original.kind !== 'file' || volume.has(to)) return
    const copy = volume.make('file')
    volume.write(copy, original.bytes)
    volume.setTime(copy, Number(original.mtimeNs / 1_000_000n))
    volume.add(to, copy)
    this.#options.contents.copy(textOf(original.bytes))
    note(`${device.name}'s user copies ${from} to ${to}`)
  }

  #symlink(at: string): void {
    const { volume } = this.#options.device
    const inode = volume.make('symlink')
    inode.target = `../${this.#options.nextNumber()}`
    volume.add(at, inode)
  }

  #removeMost(): void {
    const { volume } = this.#options.device
    for (const name of volume.list(ROOT)) if (name !== '.hayloft') this.#remove(`${ROOT}/${name}`)
  }

  #create(at: string): void {
    const { volume } = this.#options.device
    const inode = volume.make('file')
    volume.add(at, inode)
    this.#put(inode, this.#text(), at)
  }

  #put(inode: Inode, text: string, at: string): void {
    const { device, contents, note } = this.#options
    const before = textOf(inode.bytes)
    device.volume.write(inode, utf8(text))
    if (!device.texts().has(before)) contents.giveUp(before)
    // One who writes to what is in no directory any more keeps nothing.
    if (device.texts().has(text)) contents.write(text)
    note(`${device.name}'s user writes ${text} to ${at}`)
  }

  /** All of one length, so that sizes tell nothing. */
  #text(): string {
    const { device, nextNumber } = this.#options
    return `content ${String(nextNumber()).padStart(6, '0')} by ${device.name.padEnd(8)}`
  }

  #makePlace(at: string): void {
    const { volume } = this.#options.device
    const parent = at.slice(0, at.lastIndexOf('/'))
    if (volume.has(parent)) return
    this.#makePlace(parent)
    volume.add(parent, volume.make('directory'))
  }

  /** Often one that is there; else one of few, so that users meet. */
  #path(): string {
    const { device, randomness } = this.#options
    // Conflict copies are looked at once they stay: one that comes and goes in the same moment is another file by then.
    const isCalm = device.status?.state === 'in-sync'
    const there = [...device.listing().keys()]
      .map((path) => path.replace(/\/$/, ''))
      .filter((path) => isCalm || !path.includes('(conflict'))
    if (there.length > 0 && randomness.chance(0.5)) return `${ROOT}/${randomness.pick(there)}`
    const depth = randomness.pick([1, 1, 1, 2, 2, 3])
    return [ROOT, ...Array.from({ length: depth }, () => randomness.pick(NAMES))].join('/')
  }
}

function pathsByText(device: EngineDevice): Map<string, string[]> {
  const paths = new Map<string, string[]>()
  for (const [path, text] of device.contents()) {
    const same = paths.get(text)
    if (same === undefined) paths.set(text, [path])
    else same.push(path)
  }
  return paths
}
