import type { RememberedSlot, SlotMemory } from '../../grid/slots/memory.ts'
import { joinProofs } from '../../grid/slots/proof.ts'
import { StoredSlotMemory } from '../../grid/slots/stored-memory.ts'
import { slotKeyHex, type SlotKey, type SlotKeyHex } from '../../protocol/slot-key.ts'
import { compareVectors, joinVectors } from '../../protocol/version-vector.ts'
import { DirectoryStore } from './directory-store.ts'
import { abandonedLanes, otherLanes, takeLane, type Lane, type LaneOptions } from './lane.ts'

/**
 * What a home remembers of slots, for one process at a time and lane: see {@link ./lane.ts}. A process numbers its writes
 * in a lane of its own; what was seen in the others counts as seen, too, so that no lane is shown less than another was.
 */
export class HomeSlotMemory implements SlotMemory, AsyncDisposable {
  readonly #parent: string
  readonly #options: LaneOptions
  #taking: Promise<Lane> | undefined
  #own: StoredSlotMemory | undefined
  /** Where a slot is owed: the lanes whose notes are to go once it is paid. */
  readonly #owedIn = new Map<SlotKeyHex, readonly string[]>()

  /** Takes a lane when something is asked first, and holds it until it is disposed of. */
  constructor(parent: string, options: LaneOptions) {
    this.#parent = parent
    this.#options = options
  }

  async load(slot: SlotKey): Promise<RememberedSlot | undefined> {
    const lane = await this.#lane()
    const own = await memoryIn(lane.directory).load(slot)
    let joined = own
    for (const directory of await otherLanes(this.#parent, lane)) {
      const other = await memoryIn(directory).load(slot)
      if (other !== undefined) joined = joinSeen(joined, other)
    }
    return joined
  }

  async save(slot: SlotKey, remembered: RememberedSlot): Promise<void> {
    await (await this.#ownMemory()).save(slot, remembered)
  }

  /** Also what is owed in lanes that nobody holds any more. */
  async owed(): Promise<readonly SlotKey[]> {
    const lane = await this.#lane()
    const owed = new Map<SlotKeyHex, SlotKey>()
    for (const directory of [lane.directory, ...(await abandonedLanes(this.#parent, lane))]) {
      const slots = await memoryIn(directory)
        .owed()
        // Somebody has taken it since, and now sees to it.
        .catch(() => [])
      for (const slot of slots) {
        const name = slotKeyHex(slot)
        owed.set(name, slot)
        this.#owedIn.set(name, [...(this.#owedIn.get(name) ?? []), directory])
      }
    }
    return [...owed.values()]
  }

  async setOwed(slot: SlotKey, isOwed: boolean): Promise<void> {
    const { directory } = await this.#lane()
    await memoryIn(directory).setOwed(slot, isOwed)
    if (isOwed) return
    for (const other of this.#owedIn.get(slotKeyHex(slot)) ?? []) {
      // A lane that was taken meanwhile has another name, and what it owes now is its holder's to say.
      if (other !== directory) await memoryIn(other).setOwed(slot, false)
    }
    this.#owedIn.delete(slotKeyHex(slot))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const lane = await this.#taking?.catch(() => undefined)
    await lane?.[Symbol.asyncDispose]()
  }

  async #lane(): Promise<Lane> {
    return await (this.#taking ??= takeLane(this.#parent, this.#options))
  }

  /** One for all saves: it knows how far it has got. */
  async #ownMemory(): Promise<StoredSlotMemory> {
    const { directory } = await this.#lane()
    return (this.#own ??= memoryIn(directory))
  }
}

function memoryIn(directory: string): StoredSlotMemory {
  return new StoredSlotMemory(new DirectoryStore(directory))
}

/** The numbers of one lane with what two have seen. */
function joinSeen(own: RememberedSlot | undefined, other: RememberedSlot): RememberedSlot {
  const clock = joinVectors(own?.clock ?? new Map(), other.clock)
  const heads = [...(own?.heads ?? []), ...other.heads]
  const { tag, counter = 0 } = own ?? {}
  // One counts for all that was ever seen, so it is that of the lane which has seen most.
  const older = [own?.older, other.older].find(
    (each) => each !== undefined && compareVectors(each.clock, clock) === 'equal',
  )
  const proof = own?.proof && other.proof ? joinProofs(own.proof, other.proof) : other.proof
  return {
    ...(tag !== undefined && { tag }),
    counter,
    clock,
    heads,
    ...(proof !== undefined && { proof }),
    ...(older !== undefined && { older }),
  }
}
