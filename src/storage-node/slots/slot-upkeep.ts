import { sleep, type Clock } from '../../foundation/clock.ts'
import type { ScanRange } from '../ledger.ts'
import type { SlotKey } from '../../protocol/slot-key.ts'
import { isSlotDue, withoutLapsed } from './slot-leases.ts'
import { slotBytes } from './slot-rows.ts'
import type { SlotStore } from './slot-store.ts'

/** Deletes the slots that nobody leases any more, and the records that have expired, after their grace. */
export async function collectSlots(
  store: SlotStore,
  signal: AbortSignal,
): Promise<{ records: number; bytes: number }> {
  let records = 0
  let bytes = 0
  for await (const slots of store.ledger.scanSlots()) {
    signal.throwIfAborted()
    const due = slots.filter(({ row }) => row !== undefined && isSlotDue(row, store.nowS()))
    if (due.length === 0) continue
    const freed = await collectSome(
      store,
      due.map(({ id }) => id),
    )
    records += freed.records
    bytes += freed.bytes
  }
  return { records, bytes }
}

function collectSome(
  store: SlotStore,
  slots: readonly SlotKey[],
): Promise<{ records: number; bytes: number }> {
  return store.ledger.commit({
    slots,
    apply: (draft) => {
      let records = 0
      let bytes = 0
      for (const slot of slots) {
        const before = draft.slot(slot)
        // Things may have changed since it was seen: what counts is the row as it is now.
        if (before === undefined || !isSlotDue(before, store.nowS())) continue
        const after = withoutLapsed(before, store.nowS())
        draft.setSlot(slot, after)
        records += before.heads.length - after.heads.length
        bytes += slotBytes(before) - slotBytes(after)
      }
      return { records, bytes }
    },
  })
}

/** Reads every record and verifies it again; strikes off and reports those that are gone or have rotted. */
export async function scrubSlots(
  store: SlotStore,
  {
    range,
    bytesPerS,
    clock,
    signal,
  }: {
    readonly range: ScanRange
    readonly bytesPerS: number
    readonly clock: Clock
    readonly signal: AbortSignal
  },
): Promise<{ records: number; lost: number }> {
  let records = 0
  let lost = 0
  for await (const slots of store.ledger.scanSlots(range)) {
    for (const { id, row } of slots) {
      if (row === undefined) lost += (await store.strikeOffRow(id)) ? 1 : 0
      for (const head of row?.heads ?? []) {
        signal.throwIfAborted()
        records++
        if (!(await store.records.isIntact(id, head))) {
          // One that was replaced or collected meanwhile is not lost: this looks again.
          lost += (await store.strikeOff(id, head)) ? 1 : 0
        }
        const pauseMs = (head.bytes / bytesPerS) * 1000
        if (pauseMs > 0) await sleep(clock, pauseMs, signal)
      }
    }
  }
  return { records, lost }
}
