import type { FolderVerifyCapability } from '../../src/capabilities/capability.ts'
import type { SlotWriteKeys } from '../../src/capabilities/slot-keys.ts'
import { utf8 } from '../../src/foundation/bytes.ts'
import { commitEdits } from '../../src/folders/commit/commit.ts'
import type { Edit, NewVersion } from '../../src/folders/commit/edits.ts'
import { parsePath } from '../../src/folders/names.ts'
import { sealWriteKey } from '../../src/folders/sealed-write-key.ts'
import { emptyState, type FolderState } from '../../src/folders/state.ts'
import { slotReadKeyOf, slotWriteKey } from '../../src/capabilities/slot-keys.ts'
import { sha256 } from '../../src/crypto/hash.ts'
import { KIND_DATA } from '../../src/grid/blocks/frame.ts'
import type { BlockStore } from '../../src/grid/blocks/store.ts'
import type { BlockReference } from '../../src/grid/files/index-node.ts'
import { recordHistory } from '../../src/grid/slots/history.ts'
import type { TagHex } from '../../src/protocol/version-vector.ts'
import { sourceOf } from '../../simulations/bytes.ts'
import { testSlot, type TestDevice } from './devices.ts'

const TAG = 'abababababababab' as TagHex
const NOON_MS = Date.UTC(2026, 4, 6, 12)

/** A folder on a test grid, with all that its writer knows. */
export class TestFolder implements AsyncDisposable {
  readonly device: TestDevice
  readonly keys: SlotWriteKeys
  readonly store: BlockStore
  /** After each commit. */
  readonly states: FolderState[] = []
  /** The history blocks of states that were replaced, the first one first. */
  readonly past: BlockReference[] = []

  constructor(device: TestDevice, name: string) {
    this.device = device
    this.keys = testSlot(name)
    this.store = device.own.openBlockStore({ convergence: this.keys.convergence })
  }

  get capability(): FolderVerifyCapability {
    return { kind: 'folder-verify', slot: this.keys.slot, verifyKey: this.keys.verifyKey }
  }

  /** A small file, stored with the next commit. */
  async small(content: Uint8Array): Promise<NewVersion> {
    const reference = await this.store.put({ kind: KIND_DATA, level: 0, links: [], content })
    return { kind: 'file', reference, sizeBytes: content.length, mtimeMs: NOON_MS }
  }

  /** A file of any size. */
  async file(content: Uint8Array): Promise<NewVersion> {
    const { capability } = await this.device.own.put(sourceOf(content))
    if (capability.kind !== 'file-read') return await this.small(content)
    const { key, id } = capability
    return { kind: 'file', reference: { key, id }, sizeBytes: content.length, mtimeMs: NOON_MS }
  }

  /** Puts files under their paths, as one commit and one state of the slot. */
  async commit(files: Readonly<Record<string, NewVersion>>): Promise<void> {
    const edits = Object.entries(files).map(([path, content]): Edit => ({
      kind: 'put',
      path: parsePath(path),
      content,
    }))
    const before = this.states.at(-1) ?? (await emptyState(this.store))
    const state = await commitEdits(this.store, before, edits, { tag: TAG, device: 'laptop' })
    await this.device.slots.write(this.keys, async ({ heads }) => {
      const parents = await recordHistory(this.store, heads)
      this.past.push(...parents)
      return {
        contents: { kind: 'folder', root: state.root, parents },
        ready: this.store.flush(),
      }
    })
    this.states.push(state)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]()
  }
}

/** An entry for another folder, whose write key is sealed for those who may write this one. */
export function linkTo({ keys: parent }: TestFolder, name: string): NewVersion {
  const writeKey = slotWriteKey(sha256(utf8(name)))
  const { slot, verifyKey } = testSlot(name)
  return {
    kind: 'linked-folder',
    slot,
    verifyKey,
    readKey: slotReadKeyOf(writeKey),
    sealedWriteKey: sealWriteKey(parent.childrenKey, writeKey),
    mtimeMs: NOON_MS,
  }
}
