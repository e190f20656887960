import type { BlockReference } from '../files/index-node.ts'
import { fitsRecord, type CarriedState, type SlotContents } from '../slots/contents.ts'
import type { OpenedRecord } from '../slots/seal.ts'
import type { FileVersion } from './version.ts'

/**
 * How a version follows one that is in its record, with its past, as it is itself: as long as records have room,
 * nothing but the record has to be stored.
 */
export interface Following {
  /** What its record carries, the newest first. */
  readonly carried: readonly CarriedState[]
  /** States that must be blocks of history before the record is sent; without any, `parents` are those of the record. */
  readonly before: SlotContents | undefined
  readonly parents: readonly BlockReference[]
  /**
   * The state that the next record will have no room for. Stored while this record is sent, it keeps nobody waiting
   * then.
   */
  readonly ahead: SlotContents | undefined
}

/** What a record says that makes a version the present one. */
export function stateOf(
  { content, sizeBytes, modifiedMs, device }: FileVersion,
  {
    parents,
    carried = [],
  }: {
    readonly parents: readonly BlockReference[]
    readonly carried?: readonly CarriedState[] | undefined
  },
): SlotContents {
  const at = content.kind === 'blocks' ? { root: content.root } : { inline: content.bytes }
  const past = carried.length === 0 ? { parents } : { parents, carried }
  return { kind: 'file', ...at, sizeBytes, modifiedMs, device, ...past }
}

/** @returns undefined where the version, or one that it replaces, is in blocks, or several are replaced */
export function follow(
  replaced: readonly Pick<OpenedRecord, 'contents'>[],
  version: FileVersion,
): Following | undefined {
  const [head, ...others] = replaced
  if (version.content.kind !== 'inline' || others.length > 0) return undefined
  if (head === undefined) return { carried: [], parents: [], before: undefined, ahead: undefined }
  const { kind, inline, modifiedMs = 0, device, carried = [], parents } = head.contents
  if (kind !== 'file' || inline === undefined) return undefined
  const last = { inline, modifiedMs, ...(device !== undefined && { device }) }
  const all = [last, ...carried]
  if (!fitsRecord(stateOf(version, { parents, carried: all }))) {
    // What the last one carries is a state with all that came before it, and was most likely stored ahead.
    return { carried: [last], before: firstOf(carried, parents), parents: [], ahead: undefined }
  }
  const next = {
    inline: version.content.bytes,
    modifiedMs: version.modifiedMs,
    device: version.device,
  }
  const isFull = !fitsRecord(stateOf(version, { parents, carried: [next, ...all] }))
  return {
    carried: all,
    parents,
    before: undefined,
    ahead: isFull ? firstOf(all, parents) : undefined,
  }
}

/** The newest of the states that a record carries, with those before it, as its own record had it. */
function firstOf(
  [first, ...rest]: readonly CarriedState[],
  parents: readonly BlockReference[],
): SlotContents | undefined {
  if (first === undefined) return undefined
  const carried = rest.length === 0 ? {} : { carried: rest }
  return { kind: 'file', ...first, sizeBytes: first.inline.length, parents, ...carried }
}
