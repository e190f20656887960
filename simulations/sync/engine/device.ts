import { dirname } from 'node:path'
import { sleep, type Clock } from '../../../src/foundation/clock.ts'
import { utf8 } from '../../../src/foundation/bytes.ts'
import { SystemSyncDisk } from '../../../src/gateway/sync/disk/system-sync-disk.ts'
import { runSync, type SyncStatus } from '../../../src/gateway/sync/runner.ts'
import { WorkMeter } from '../../../src/gateway/sync/work.ts'
import type { SeededRandomness } from '../../randomness.ts'
import type { SharedFolder } from '../folder.ts'
import { FolderMemory, gridFolder } from './grid-folder.ts'
import { SimulatedFileSystem } from './file-system.ts'
import { Life } from './life.ts'
import { ROOT, SYNC_ID } from './places.ts'
import { RecordStore, SimulatedRecords } from './records.ts'
import { Volume, type VolumeKind } from './volume.ts'

/** What goes wrong on a device, each as a chance for every call. */
export interface Weather {
  readonly failing: number
  readonly stale: number
  readonly disk: number
  /** There is no room left. */
  readonly isFull: boolean
}

export const CALM: Weather = { failing: 0, stale: 0, disk: 0, isFull: false }

export interface EngineDeviceOptions {
  readonly name: string
  readonly kind: VolumeKind
  readonly clock: Clock
  readonly randomness: SeededRandomness
  readonly shared: SharedFolder
  readonly note: (text: string) => void
  readonly onViolation: (what: string) => void
  /** Before each step of its process. */
  readonly onStep: (device: EngineDevice) => void
  readonly onReplacing: (device: EngineDevice) => void
}

/** A device that runs the real engine over a simulated disk, with a user who works on that disk at any moment. */
export class EngineDevice {
  readonly name: string
  readonly volume: Volume
  weather: Weather = CALM
  status: SyncStatus | undefined
  /** Whether its user has said that they meant to remove so much. */
  mayRemove = false
  isMounted = true
  readonly #options: EngineDeviceOptions
  readonly #records = new RecordStore()
  readonly #memory: FolderMemory
  #life: Life | undefined
  #onChange: (directory?: string) => void = () => undefined

  constructor(options: EngineDeviceOptions) {
    this.#options = options
    this.name = options.name
    const { kind, clock, randomness, shared } = options
    this.volume = new Volume(kind, clock, randomness.fork('volume'))
    this.#memory = new FolderMemory(shared.heads)
    for (const at of ['/home', ROOT, `${ROOT}/.hayloft`]) {
      this.volume.add(at, this.volume.make('directory'))
    }
    const marker = this.volume.make('file')
    this.volume.write(marker, utf8(`${SYNC_ID}\n`))
    this.volume.add(`${ROOT}/.hayloft/root`, marker)
    this.volume.settle()
  }

  get life(): Life | undefined {
    return this.#life
  }

  start(): void {
    if (this.#life !== undefined) return
    const { clock, randomness, note, onStep, shared, name } = this.#options
    const life = new Life({
      clock,
      randomness,
      onStep: () => onStep(this),
      onDeath: () => {
        note(`${name} dies`)
        this.#life = undefined
        this.#onChange = () => undefined
      },
    })
    this.#life = life
    this.status = undefined
    note(`${name} starts`)
    void runSync({
      context: {
        disk: new SystemSyncDisk(ROOT, SYNC_ID, {
          clock,
          randomness,
          platform: 'linux',
          files: this.#files(life),
          unfinished: { minBytes: 1, stepBytes: 8 },
        }),
        folder: gridFolder({
          shared,
          memory: this.#memory,
          life,
          clock,
          randomness,
          device: name,
          weather: () => this.weather,
          note,
        }),
        records: new SimulatedRecords(this.#records, life),
        clock,
        onEvent: (event) => note(`${name}: ${JSON.stringify(event)}`),
        work: new WorkMeter(clock),
      },
      watch: async (onChange) => {
        await sleep(clock, randomness.below(50))
        this.#onChange = onChange
        const watcher = { degraded: undefined, [Symbol.asyncDispose]: async () => undefined }
        return watcher
      },
      takeAllowance: async () => {
        const is = this.mayRemove
        this.mayRemove = false
        return await Promise.resolve(is)
      },
      onStatus: (status) => {
        if (life.end.signal.aborted) return
        this.status = status
        note(`${name} is ${status.state} ${status.message ?? ''}`)
      },
      signal: life.end.signal,
    }).catch((error: unknown) => {
      if (!life.end.signal.aborted) this.#options.onViolation(`${name} ended: ${String(error)}`)
    })
  }

  /** Something has changed on its disk. */
  changed(directory?: string): void {
    const { clock, randomness } = this.#options
    // As on macOS and Windows, where a watcher may write names in another form than the disk does.
    const told = this.volume.kind.names === 'exact' ? directory : undefined
    clock.after(randomness.below(80), () => this.#onChange(told))
  }

  /** What was not durable on its disk is lost. */
  cutPower(): void {
    this.#life?.die()
    this.volume.cutPower()
  }

  /** Path → content of all that its user sees. */
  listing(): Map<string, string> {
    return new Map(this.contents())
  }

  /** The same where two that the disk cannot tell apart are shown under one name. */
  contents(): [path: string, text: string][] {
    const found: [string, string][] = []
    const visit = (at: string): void => {
      for (const name of this.volume.list(at)) {
        if (at === ROOT && name === '.hayloft') continue
        const path = `${at}/${name}`
        const inode = this.volume.find(path)
        const shown = path
          .slice(ROOT.length + 1)
          .normalize('NFC')
          .replaceAll('\uf000', '')
        if (inode.kind === 'directory') {
          found.push([`${shown}/`, ''])
          visit(path)
        } else if (inode.kind === 'symlink') found.push([shown, `→ ${inode.target}`])
        else if (inode.kind === 'file') found.push([shown, textOf(inode.bytes)])
      }
    }
    visit(ROOT)
    return found
  }

  texts(): Set<string> {
    return new Set(this.contents().map(([, text]) => text))
  }

  #files(life: Life): SimulatedFileSystem {
    const { randomness, onViolation, note, name } = this.#options
    return new SimulatedFileSystem({
      volume: this.volume,
      life,
      fault: (call) => {
        const { disk, isFull } = this.weather
        if (isFull && call === 'write') return 'ENOSPC'
        if (disk === 0 || !randomness.chance(disk)) return undefined
        return randomness.pick(FAULTS[call])
      },
      onViolation,
      onReplacing: () => this.#options.onReplacing(this),
      onChange: (call, at) => {
        note(`${name}: ${call} ${at.slice(ROOT.length)}`)
        this.changed(dirname(at))
      },
    })
  }
}

const FAULTS = {
  read: ['EIO', 'EACCES'],
  write: ['EIO', 'ENOSPC', 'EACCES'],
  name: ['EBUSY', 'EACCES', 'EIO'],
} as const

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}
