import type {
  FolderReadCapability,
  FolderVerifyCapability,
  FolderWriteCapability,
  MutableReadCapability,
  MutableVerifyCapability,
  MutableWriteCapability,
} from '../capabilities/capability.ts'
import { slotKeyOf, slotReadKeyOf } from '../capabilities/slot-keys.ts'
import type { Rollback, SlotClient, SlotState } from '../grid/slots/client.ts'
import type { Freshness } from '../grid/slots/poll.ts'
import type { ReadOptions, SlotHealth } from '../grid/slots/results.ts'
import type { SlotReader } from '../grid/slots/seal.ts'
import type { SlotKey } from '../protocol/slot-key.ts'
import type { VersionVector } from '../protocol/version-vector.ts'

/**
 * The small signed records by which folders and files change. To see that something changed and how well it is kept,
 * whatever it is; to change it, use the folder or file itself, which knows what a record must say.
 */
export interface Slots {
  /** What nodes say now. @throws SlotUnavailableError */
  look(capability: ChangingCapability, options?: ReadOptions): Promise<SlotNow>
  /** The same, and again whenever it is something else, until `signal` fires or Hayloft is closed. */
  watch(capability: ChangingCapability, signal: AbortSignal): AsyncIterable<SlotNow>
  /** How many good copies nodes keep. @throws SlotUnavailableError */
  check(capability: SlotCapability, options?: ReadOptions): Promise<SlotHealth>
  /** The same, after nodes were given what they lacked. @throws SlotUnavailableError */
  repair(capability: SlotCapability, options?: ReadOptions): Promise<SlotHealth>
  /** Resolves when nothing is on its way to nodes any more. */
  settle(): Promise<void>
}

/** What leads to something that changes, with the power to read it. */
export type ChangingCapability =
  FolderWriteCapability | FolderReadCapability | MutableWriteCapability | MutableReadCapability

/** What leads to something that changes. */
export type SlotCapability = ChangingCapability | FolderVerifyCapability | MutableVerifyCapability

/** What nodes say of a slot. */
export interface SlotNow {
  /** States that do not contain each other: 1, more after devices wrote at once, 0 if nobody has written. */
  readonly states: number
  /** States that are signed as they should be and make no sense. */
  readonly unreadable: number
  /** How many writes of each device the states contain: different after every write. */
  readonly clock: VersionVector
  readonly freshness: Freshness
  /** Nodes showed less than this home has seen before. */
  readonly rollback?: Rollback | undefined
}

export function openSlots(client: () => SlotClient): Slots {
  return {
    look: async (capability, options) => nowOf(await client().read(readerOf(capability), options)),
    watch: (capability, signal) => statesOf(client().watch(readerOf(capability), signal)),
    check: async (capability, options) => await client().check(slotOf(capability), options),
    repair: async (capability, options) => await client().repair(slotOf(capability), options),
    settle: async () => {
      await client().settle()
    },
  }
}

async function* statesOf(states: AsyncIterable<SlotState>): AsyncGenerator<SlotNow> {
  for await (const state of states) yield nowOf(state)
}

function nowOf({ heads, unreadable, clock, freshness, rollback }: SlotState): SlotNow {
  return {
    states: heads.length,
    unreadable,
    clock,
    freshness,
    ...(rollback !== undefined && { rollback }),
  }
}

function readerOf(capability: ChangingCapability): SlotReader {
  return 'writeKey' in capability
    ? { slot: slotKeyOf(capability.writeKey), readKey: slotReadKeyOf(capability.writeKey) }
    : capability
}

function slotOf(capability: SlotCapability): SlotKey {
  return 'writeKey' in capability ? slotKeyOf(capability.writeKey) : capability.slot
}
