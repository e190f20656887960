import type {
  FileStats,
  FileSystem,
  ReadableHandle,
  WritableHandle,
} from '../../../src/gateway/sync/disk/file-system.ts'
import { concatBytes, utf8 } from '../../../src/foundation/bytes.ts'
import { ROOT } from './places.ts'
import type { Life } from './life.ts'
import { failure, type Inode, type Volume } from './volume.ts'

interface SimulatedFileSystemOptions {
  readonly volume: Volume
  readonly life: Life
  /** What a call is to fail with, if it is. */
  readonly fault: (call: 'read' | 'write' | 'name') => string | undefined
  readonly onViolation: (what: string) => void
  readonly onChange: (call: string, at: string) => void
  /** Just before a file is replaced: a program that has it open may write to it. */
  readonly onReplacing: () => void
}

/** What a process of the engine sees of a simulated disk. Whatever it changes must lie in the synced directory. */
export class SimulatedFileSystem implements FileSystem {
  readonly #options: SimulatedFileSystemOptions

  constructor(options: SimulatedFileSystemOptions) {
    this.#options = options
  }

  async link(from: string, to: string): Promise<void> {
    await this.#changing('link', to, ({ volume }) => {
      if (!volume.kind.hasLinks) throw failure('EPERM', from)
      volume.add(to, volume.find(from))
    })
  }

  async rename(from: string, to: string): Promise<void> {
    this.#check(from)
    await this.#changing('rename', to, ({ volume }) => volume.rename(from, to))
  }

  renameNow(from: string, to: string): void {
    this.#options.life.require()
    this.#check(to)
    this.#options.onReplacing()
    const code = this.#options.fault('name')
    if (code !== undefined) throw failure(code, from)
    this.#options.volume.rename(from, to)
    this.#options.onChange('rename', to)
  }

  async symlink(target: string, at: string): Promise<void> {
    await this.#changing('symlink', at, ({ volume }) => {
      const inode = volume.make('symlink')
      inode.target = target
      volume.add(at, inode)
    })
  }

  async mkdir(at: string): Promise<void> {
    await this.#changing('mkdir', at, ({ volume }) => volume.add(at, volume.make('directory')))
  }

  async rmdir(at: string): Promise<void> {
    await this.#changing('rmdir', at, ({ volume }) => {
      if (volume.find(at).kind !== 'directory') throw failure('ENOTDIR', at)
      volume.remove(at)
    })
  }

  async unlink(at: string): Promise<void> {
    await this.#changing('unlink', at, ({ volume }) => {
      if (!volume.has(at)) return
      if (volume.find(at).kind === 'directory') throw failure('EISDIR', at)
      volume.remove(at)
    })
  }

  async clear(at: string): Promise<void> {
    await this.#changing('clear', at, ({ volume }) => {
      if (volume.has(at)) removeAll(volume, at)
    })
  }

  async freeBytes(): Promise<number> {
    return await Promise.resolve(Infinity)
  }

  async open(at: string): Promise<ReadableHandle> {
    return await this.#doing('read', at, ({ volume }) => {
      const inode = volume.find(at)
      if (inode.kind === 'symlink') throw failure('ELOOP', at)
      return new SimulatedReading(this.#options, inode)
    })
  }

  async create(at: string, { isExecutable }: { isExecutable: boolean }): Promise<WritableHandle> {
    return await this.#changing('create', at, ({ volume }) => {
      const inode = volume.make('file')
      if (isExecutable) inode.mode = 0o755
      volume.add(at, inode)
      return new SimulatedWriting(this.#options, inode)
    })
  }

  async reopen(at: string, lengthBytes: number): Promise<WritableHandle> {
    return await this.#changing('reopen', at, ({ volume }) => {
      const inode = volume.find(at)
      if (inode.kind !== 'file') throw failure('EISDIR', at)
      volume.write(inode, inode.bytes.subarray(0, lengthBytes))
      return new SimulatedWriting(this.#options, inode)
    })
  }

  async syncDirectory(at: string): Promise<void> {
    await this.#doing('name', at, ({ volume }) => volume.syncDirectory(volume.find(at)))
  }

  lstatNow(at: string): FileStats {
    return this.#now(at, ({ volume }) => volume.stats(volume.find(at)))
  }

  readlinkNow(at: string): string {
    return this.#now(at, ({ volume }) => volume.find(at).target)
  }

  listNow(at: string): Uint8Array[] {
    return this.#now(at, ({ volume }) => volume.list(at).map((name) => utf8(name)))
  }

  #now<T>(at: string, look: (options: SimulatedFileSystemOptions) => T): T {
    this.#options.life.require()
    const code = this.#options.fault('read')
    if (code !== undefined) throw failure(code, at)
    return look(this.#options)
  }

  async #changing<T>(
    call: string,
    at: string,
    effect: (options: SimulatedFileSystemOptions) => T,
  ): Promise<T> {
    this.#check(at)
    const kind = call === 'create' || call === 'mkdir' || call === 'link' ? 'write' : 'name'
    const result = await this.#doing(kind, at, effect)
    this.#options.onChange(call, at)
    return result
  }

  async #doing<T>(
    kind: 'read' | 'write' | 'name',
    at: string,
    effect: (options: SimulatedFileSystemOptions) => T,
  ): Promise<T> {
    return await this.#options.life.step(() => {
      const code = this.#options.fault(kind)
      if (code !== undefined) throw failure(code, at)
      return effect(this.#options)
    })
  }

  #check(at: string): void {
    const isInside = at.startsWith(`${ROOT}/`) && !at.split('/').includes('..')
    if (!isInside) this.#options.onViolation(`${at} was touched, which lies outside`)
  }
}

function removeAll(volume: Volume, at: string): void {
  if (volume.find(at).kind === 'directory') {
    for (const name of volume.list(at)) removeAll(volume, `${at}/${name}`)
  }
  volume.remove(at)
}

class SimulatedReading implements ReadableHandle {
  readonly #options: SimulatedFileSystemOptions
  readonly #inode: Inode
  #position = 0

  constructor(options: SimulatedFileSystemOptions, inode: Inode) {
    this.#options = options
    this.#inode = inode
  }

  async stat(): Promise<FileStats> {
    return await this.#options.life.step(() => this.#options.volume.stats(this.#inode))
  }

  async read(into: Uint8Array, position?: number): Promise<number> {
    return await this.#options.life.step(() => {
      const code = this.#options.fault('read')
      if (code !== undefined) throw failure(code, 'a file')
      // In pieces, so that a file can change while it is read.
      const start = position ?? this.#position
      const pieceBytes = Math.min(into.length, PIECE_BYTES)
      const piece = this.#inode.bytes.subarray(start, start + pieceBytes)
      into.set(piece)
      if (position === undefined) this.#position += piece.length
      return piece.length
    })
  }

  async close(): Promise<void> {
    await Promise.resolve()
  }
}

const PIECE_BYTES = 12

class SimulatedWriting implements WritableHandle {
  readonly #options: SimulatedFileSystemOptions
  readonly #inode: Inode

  constructor(options: SimulatedFileSystemOptions, inode: Inode) {
    this.#options = options
    this.#inode = inode
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#options.life.step(() => {
      const code = this.#options.fault('write')
      if (code !== undefined) throw failure(code, 'a file')
      const { volume } = this.#options
      volume.write(this.#inode, concatBytes([this.#inode.bytes, bytes]))
    })
  }

  async setTimes({ mtimeMs }: { mtimeMs: number }): Promise<void> {
    await this.#options.life.step(() => this.#options.volume.setTime(this.#inode, mtimeMs))
  }

  async sync(): Promise<void> {
    await this.#options.life.step(() => {
      this.#inode.durableBytes = this.#inode.bytes
    })
  }

  async close(): Promise<void> {
    await Promise.resolve()
  }
}
