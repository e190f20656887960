import type { SlotReadKey, SlotVerifyKey } from '../../capabilities/slot-keys.ts'
import { BrokenSlotRecordError, type SlotLinks } from './contents.ts'
import type { Head } from './heads.ts'
import { openRecord, openRecordLinks, type OpenedRecord } from './seal.ts'

/** What could be opened, and how many states could not. */
export interface Opened<T> {
  readonly opened: readonly T[]
  readonly unreadable: number
}

export function openHeads(readKey: SlotReadKey, heads: readonly Head[]): Opened<OpenedRecord> {
  return openEach(heads, ({ record }) => openRecord(readKey, record))
}

export function openHeadLinks(verifyKey: SlotVerifyKey, heads: readonly Head[]): Opened<SlotLinks> {
  return openEach(heads, ({ record }) => openRecordLinks(verifyKey, record))
}

/** One broken writer must not keep readers from what the others wrote. */
function openEach<T>(heads: readonly Head[], open: (head: Head) => T): Opened<T> {
  const opened: T[] = []
  for (const head of heads) {
    try {
      opened.push(open(head))
    } catch (error) {
      if (!(error instanceof BrokenSlotRecordError)) throw error
    }
  }
  return { opened, unreadable: heads.length - opened.length }
}
