import { allocateBytes, fromHex, toHex, viewOf, type Branded } from '../foundation/bytes.ts'
import { assert, HayloftError } from '../foundation/error.ts'

/**
 * A slot's clock: for each device that ever wrote, how many of its writes are contained. Tags without a write are
 * absent; counters are 1 to 2^32 − 1.
 */
export type VersionVector = ReadonlyMap<TagHex, number>

/** A device's random tag for one slot: 8 bytes as 16 lower-case hexadecimal digits, to be the key of a map. */
export type TagHex = Branded<string, 'TagHex'>

/** One write: the `counter`-th of the device with this tag. */
export interface Dot {
  readonly tag: TagHex
  readonly counter: number
}

export const TAG_BYTES = 8
/** Devices that can ever have written to a slot. A full clock takes less than a record's other parts. */
export const MAX_CLOCK_TAGS = 64
/** Counters are u32. A writer that finds its own at the top takes a new tag. */
export const MAX_COUNTER = 2 ** 32 - 1

const ENTRY_BYTES = TAG_BYTES + 4

/** The bytes of a clock break the format. */
export class MalformedVectorError extends HayloftError {
  readonly code = 'clock-malformed'
}

export function tagHex(bytes: Uint8Array): TagHex {
  assert(bytes.length === TAG_BYTES, 'a tag has 8 bytes')
  return toHex(bytes) as TagHex
}

/** How `a` stands to `b`: `before` if `b` contains all of `a` and more, `concurrent` if either has what the other lacks. */
export function compareVectors(
  a: VersionVector,
  b: VersionVector,
): 'equal' | 'before' | 'after' | 'concurrent' {
  const aCovers = covers(a, b)
  const bCovers = covers(b, a)
  if (aCovers && bCovers) return 'equal'
  if (bCovers) return 'before'
  return aCovers ? 'after' : 'concurrent'
}

/** The least clock that contains both. */
export function joinVectors(a: VersionVector, b: VersionVector): VersionVector {
  const joined = new Map(a)
  for (const [tag, counter] of b) joined.set(tag, Math.max(joined.get(tag) ?? 0, counter))
  return joined
}

/** What at least `count` of the clocks contain: the greatest clock that so many cover. */
export function sharedByAtLeast(clocks: readonly VersionVector[], count: number): VersionVector {
  const counters = new Map<TagHex, number[]>()
  for (const clock of clocks) {
    for (const [tag, counter] of clock) counters.set(tag, [...(counters.get(tag) ?? []), counter])
  }
  const shared = new Map<TagHex, number>()
  for (const [tag, all] of counters) {
    const counter = all.sort((a, b) => b - a)[count - 1]
    if (counter !== undefined) shared.set(tag, counter)
  }
  return shared
}

/** The greatest clock that both cover. */
export function meetVectors(a: VersionVector, b: VersionVector): VersionVector {
  return sharedByAtLeast([a, b], 2)
}

/** Whether `clock` contains a write, or all that another clock contains. */
export function covers(clock: VersionVector, other: Dot | VersionVector): boolean {
  if ('tag' in other) return (clock.get(other.tag) ?? 0) >= other.counter
  for (const [tag, counter] of other) {
    if ((clock.get(tag) ?? 0) < counter) return false
  }
  return true
}

/** Bytes of a clock of so many tags. */
export function vectorBytes(tags: number): number {
  return 1 + ENTRY_BYTES * tags
}

/** `u8 c ‖ c × (tag 8 ‖ u32 counter)`, sorted by tag. */
export function encodeVector(clock: VersionVector): Uint8Array {
  assert(clock.size <= MAX_CLOCK_TAGS, 'a clock has at most 64 tags')
  const bytes = allocateBytes(vectorBytes(clock.size))
  const view = viewOf(bytes)
  view.setUint8(0, clock.size)
  let at = 1
  // Hexadecimal digits sort as the bytes that they stand for.
  for (const [tag, counter] of [...clock].sort(([a], [b]) => (a < b ? -1 : 1))) {
    assert(counter >= 1 && counter <= MAX_COUNTER, 'a counter is a u32 and not zero')
    bytes.set(tagBytes(tag), at)
    view.setUint32(at + TAG_BYTES, counter)
    at += ENTRY_BYTES
  }
  return bytes
}

/** Reads a clock that fills all of `bytes`; one clock has one encoding. @throws MalformedVectorError */
export function decodeVector(bytes: Uint8Array): VersionVector {
  const tags = bytes[0] ?? 0
  if (tags > MAX_CLOCK_TAGS) throw new MalformedVectorError('A clock has more than 64 tags.')
  if (bytes.length !== vectorBytes(tags)) throw new MalformedVectorError('A clock is cut short.')
  const view = viewOf(bytes)
  const clock = new Map<TagHex, number>()
  let previous = ''
  for (let at = 1; at < bytes.length; at += ENTRY_BYTES) {
    const tag = tagHex(bytes.subarray(at, at + TAG_BYTES))
    if (tag <= previous) throw new MalformedVectorError('The tags of a clock are not sorted.')
    const counter = view.getUint32(at + TAG_BYTES)
    if (counter === 0) throw new MalformedVectorError('A clock counts to zero.')
    clock.set(tag, counter)
    previous = tag
  }
  return clock
}

function tagBytes(tag: TagHex): Uint8Array {
  const bytes = fromHex(tag)
  assert(bytes?.length === TAG_BYTES, 'a tag is 16 hexadecimal digits')
  return bytes
}
