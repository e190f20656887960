import { equalBytes } from '../../foundation/bytes.ts'
import { MAX_SLOT_HEADS } from '../../protocol/limits.ts'
import { compareVectors } from '../../protocol/version-vector.ts'
import type { HeldRecord, SlotRow } from './slot-rows.ts'

/**
 * Offers a record to a slot's multi-value register. What is held afterwards are the *maxima* of all that was offered:
 * the records that no other one strictly contains. Containing is transitive, so whatever made a record go stays
 * represented for good, and the maxima depend on what was offered, not on the order. Two records of the same clock (a
 * restored backup used a counter twice) contain each other but are not the same: both stay, or the order would decide.
 *
 * **At the limit** of 8 the ninth is refused (`merge-first`), as evicting one would lose what was acknowledged. Which one
 * is the ninth does depend on the order. Still, let the same records be offered again and again until nothing changes
 * any more, in whatever order: if there are at most 8 maxima, exactly those are held, otherwise 8 of them. For a record
 * that contains a head is never refused (it takes that head's place), so no head that is not a maximum can stay, and
 * then a missing maximum finds room. In particular a record that merges all heads is always taken, and ends it.
 *
 * An expired record still makes older ones stale as long as it is held, lest they come back; but it makes room for
 * others.
 *
 * @param nowS the calendar's time
 */
export function admit(
  held: readonly HeldRecord[],
  offered: HeldRecord,
  nowS: number,
): 'have' | 'stale' | 'merge-first' | { readonly heads: readonly HeldRecord[] } {
  if (held.some(({ digest }) => equalBytes(digest, offered.digest))) return 'have'
  const siblings: HeldRecord[] = []
  for (const head of held) {
    const order = compareVectors(head.clock, offered.clock)
    if (order === 'after') return 'stale'
    if (order !== 'before') siblings.push(head)
  }
  while (siblings.length >= MAX_SLOT_HEADS) {
    const at = siblings.findIndex((head) => isExpired(head, nowS))
    if (at === -1) return 'merge-first'
    siblings.splice(at, 1)
  }
  return { heads: [...siblings, offered] }
}

/** The heads as they are shown: those that have not expired. */
export function liveHeads(row: SlotRow | undefined, nowS: number): readonly HeldRecord[] {
  return (row?.heads ?? []).filter((head) => !isExpired(head, nowS))
}

export function isExpired({ expiresS }: Pick<HeldRecord, 'expiresS'>, nowS: number): boolean {
  return expiresS !== 0 && expiresS <= nowS
}
