import type {
  FolderReadCapability,
  FolderWriteCapability,
} from '../../../src/capabilities/capability.ts'
import { slotWriteKeys } from '../../../src/capabilities/slot-keys.ts'
import { sourceOf } from '../../../simulations/bytes.ts'
import { concatBytes, utf8 } from '../../../src/foundation/bytes.ts'
import type { Edit, NewVersion } from '../../../src/folders/commit/edits.ts'
import { parsePath } from '../../../src/folders/names.ts'
import type {
  CommitResult,
  EditOptions,
  FolderReader,
  FolderWriter,
} from '../../../src/folders/service/folder.ts'
import {
  openFolders,
  type FolderEvent,
  type Folders,
} from '../../../src/folders/service/folders.ts'
import type { FolderView } from '../../../src/folders/service/view.ts'
import type { SlotMemory } from '../../../src/grid/slots/memory.ts'
import { UnreachableError } from '../../../src/protocol/network.ts'
import { TestDevice } from '../../support/devices.ts'
import type { TestGrid } from '../../support/grid.ts'

/** A member's device with folders, and shorthands that run the clock. */
export class FolderDevice extends TestDevice {
  readonly folders: Folders
  readonly events: FolderEvent[] = []

  constructor(
    grid: TestGrid,
    device: string,
    options: { client?: number; memory?: SlotMemory } = {},
  ) {
    super(grid, options)
    this.folders = openFolders(this.own, {
      slots: this.slots,
      clock: grid.world.clock,
      randomness: grid.world.randomness.fork(`folders of ${device}`),
      device,
      onEvent: (event) => this.events.push(event),
    })
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    return await this.grid.run(work)
  }

  async create(): Promise<OpenedFolder> {
    const { capability } = await this.run(() => this.folders.create())
    return await this.open(capability)
  }

  async open(capability: FolderWriteCapability): Promise<OpenedFolder> {
    return new OpenedFolder(this, await this.run(() => this.folders.open(capability)))
  }

  async reader(capability: FolderReadCapability): Promise<FolderReader> {
    return await this.run(() => this.folders.open(capability))
  }

  /** Keeps some nodes, by their places, from this device, as a partition would; without any, none. */
  cutOffFrom(...nodes: readonly number[]): void {
    this.liars.clear()
    for (const at of nodes) {
      const { key } = this.grid.nodes[at]!
      this.liars.set(key, async (request, honest) => {
        if (request.op.startsWith('slot')) throw new UnreachableError(key, 'it is cut off')
        return await honest()
      })
    }
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.run(async () => await this.folders[Symbol.asyncDispose]())
    await super[Symbol.asyncDispose]()
  }
}

/** A folder that is written in a test. */
export class OpenedFolder {
  readonly device: FolderDevice
  readonly writer: FolderWriter

  constructor(device: FolderDevice, writer: FolderWriter) {
    this.device = device
    this.writer = writer
  }

  get capability(): FolderWriteCapability {
    return this.writer.writeCapability
  }

  async edit(...edits: Edit[]): Promise<CommitResult> {
    return await this.device.run(() => this.writer.edit(edits))
  }

  async write(path: string, text: string, options?: EditOptions): Promise<CommitResult> {
    const edit = putText(path, text)
    return await this.device.run(() => this.writer.edit([edit], options))
  }

  async store(path: string, bytes: Uint8Array): Promise<CommitResult> {
    const content = await this.device.run(() =>
      this.writer.putFile(sourceOf(bytes), { mtimeMs: 1000 }),
    )
    return await this.edit({ kind: 'put', path: parsePath(path), content })
  }

  async view(): Promise<FolderView> {
    return await this.device.run(() => this.writer.now())
  }

  async paths(): Promise<string[]> {
    return await pathsOf(this.device, await this.view())
  }

  async text(path: string): Promise<string> {
    return new TextDecoder().decode(await bytesAt(this.device, await this.view(), path))
  }

  /** After all that goes on in the background. */
  async nowMs(): Promise<number> {
    const nowMs = this.device.grid.world.clock.nowMs()
    // So that whatever comes next is later.
    await this.device.run(
      () => new Promise<void>((resolve) => void this.device.grid.world.clock.after(1000, resolve)),
    )
    return nowMs
  }
}

export const NOON_MS = Date.UTC(2026, 4, 6, 12)

export function putText(path: string, text: string, mtimeMs = NOON_MS): Edit {
  const content: NewVersion = { kind: 'literal', bytes: utf8(text), mtimeMs }
  return { kind: 'put', path: parsePath(path), content }
}

export async function pathsOf(
  { grid }: { grid: TestGrid },
  view: FolderView,
  path = '',
  links = false,
): Promise<string[]> {
  return await grid.run(async () => {
    const paths: string[] = []
    for await (const found of view.walk(parsePath(path), { links })) {
      paths.push(found.path.join('/'))
    }
    return paths
  })
}

export async function bytesAt(
  { grid }: { grid: TestGrid },
  view: FolderView,
  path: string,
): Promise<Uint8Array> {
  return await grid.run(async () => {
    const { chunks } = await view.readFile(parsePath(path))
    return concatBytes(await collect(chunks))
  })
}

/** All that an iteration gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

export function keysOf({ writeKey }: FolderWriteCapability): ReturnType<typeof slotWriteKeys> {
  return slotWriteKeys(writeKey)
}
