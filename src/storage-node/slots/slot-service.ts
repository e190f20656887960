import type { Clock } from '../../foundation/clock.ts'
import { systemCodeOf } from '../../foundation/error.ts'
import type {
  SlotGetReply,
  SlotGetRequest,
  SlotPutReply,
  SlotPutRequest,
  SlotWatchReply,
  SlotWatchRequest,
} from '../../protocol/messages.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import {
  decodeSlotRecord,
  MalformedSlotRecordError,
  type SlotRecord,
} from '../../protocol/slot-record.ts'
import { isNoSpace } from '../disk.ts'
import { ownClaim, type Claim, type Tenant } from '../claims.ts'
import { SlotStore, type SlotStoreOptions } from './slot-store.ts'
import { SlotWatchers, type WatchEnd } from './slot-watchers.ts'

/** Answers the operations on slots. */
export class SlotService {
  readonly store: SlotStore
  readonly #watchers: SlotWatchers

  constructor(options: Omit<SlotStoreOptions, 'onChange' | 'clock'> & { readonly clock: Clock }) {
    this.#watchers = new SlotWatchers(options.clock)
    this.store = new SlotStore({
      ...options,
      onChange: (slot) => {
        this.#watchers.wake(slot)
      },
    })
  }

  async put(
    tenant: Tenant,
    { record: bytes, leaseS, ifHeads }: SlotPutRequest,
  ): Promise<SlotPutReply> {
    const claim = ownClaim(tenant, () => this.store.nowS() + leaseS)
    return { op: 'slot-put', ...(await this.offer(claim, bytes, ifHeads)) }
  }

  /** Offers a record on anybody's behalf. */
  async offer(
    claim: Claim,
    bytes: Uint8Array,
    ifHeads?: readonly Uint8Array[],
  ): Promise<Omit<SlotPutReply, 'op'>> {
    const record = signedRecord(bytes)
    if (record === undefined) return { outcome: 'bad', heads: [] }
    try {
      return await this.store.put(claim, { record, ...(ifHeads !== undefined && { ifHeads }) })
    } catch (error) {
      if (!isNoSpace(systemCodeOf(error))) throw error
      return { outcome: 'full', heads: await this.store.headsOf(record.slot) }
    }
  }

  async get(tenant: Tenant, { slots, leaseS }: SlotGetRequest): Promise<SlotGetReply> {
    return { op: 'slot-get', ...(await this.store.get(tenant, slots, leaseS)) }
  }

  /**
   * Waits until one of the slots is another than the caller knows, but no longer than asked for.
   * @param options.reading takes what is needed to look the slots up, and gives it back; not held while waiting
   * @returns why it waited in vain, where that was not for want of time
   */
  async watch(
    caller: NodeKey,
    { watches, waitS }: SlotWatchRequest,
    {
      reading,
      signal,
    }: {
      readonly reading: <T>(work: () => Promise<T>) => Promise<T>
      readonly signal?: AbortSignal | undefined
    },
  ): Promise<SlotWatchReply | 'too-many' | Exclude<WatchEnd, 'changed' | 'time-over'>> {
    const waiting = { watches, waitMs: waitS * 1000, signal }
    using watcher = this.#watchers.begin(caller, waiting)
    if (watcher === undefined) return 'too-many'
    let changed = await reading(() => this.store.changedSince(watches))
    while (changed.length === 0) {
      const end = await watcher.wait()
      if (end === 'time-over') break
      if (end !== 'changed') return end
      changed = await reading(() => this.store.changedSince(watcher.takeChanged()))
    }
    return { op: 'slot-watch', changed }
  }

  /** Lets go of all who wait. */
  close(): void {
    this.#watchers.close()
  }
}

function signedRecord(bytes: Uint8Array): SlotRecord | undefined {
  try {
    return decodeSlotRecord(bytes)
  } catch (error) {
    if (error instanceof MalformedSlotRecordError) return undefined
    throw error
  }
}
