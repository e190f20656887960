import { EMPTY_BYTES, viewOf } from '../../foundation/bytes.ts'
import type { BlockId } from '../../protocol/block-id.ts'

/**
 * A set of blocks that takes little memory and disk: the first 12 bytes of each id, sorted. That two blocks have the same
 * is not to be expected before there are 2^48 of them, and who makes some on purpose hides parts of their own tree.
 */
export class BlockNames {
  readonly bytes: Uint8Array

  /** @param bytes what is no such set is an empty one */
  constructor(bytes: Uint8Array | undefined) {
    this.bytes = bytes !== undefined && bytes.length % NAME_BYTES === 0 ? bytes : EMPTY_BYTES
  }

  has(id: BlockId): boolean {
    let [low, high] = [0, this.bytes.length / NAME_BYTES]
    while (low < high) {
      const middle = (low + high) >> 1
      const order = compare(this.bytes, middle, id, 0)
      if (order === 0) return true
      if (order < 0) low = middle + 1
      else high = middle
    }
    return false
  }
}

/** Gathers blocks for such a set. */
export class BlockNameList {
  #bytes = new Uint8Array(64 * NAME_BYTES)
  #count = 0

  /** Past {@link MOST_NAMES} it takes no more: then those are opened anew each time. */
  add(id: BlockId): void {
    if (this.#count >= MOST_NAMES) return
    const at = this.#count * NAME_BYTES
    if (at === this.#bytes.length) {
      const larger = new Uint8Array(2 * at)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes.set(id.subarray(0, NAME_BYTES), at)
    this.#count += 1
  }

  sorted(): BlockNames {
    const order = Uint32Array.from({ length: this.#count }, (_, at) => at)
    order.sort((a, b) => compare(this.#bytes, a, this.#bytes, b))
    const bytes = new Uint8Array(this.#count * NAME_BYTES)
    order.forEach((from, to) => {
      const start = from * NAME_BYTES
      bytes.set(this.#bytes.subarray(start, start + NAME_BYTES), to * NAME_BYTES)
    })
    return new BlockNames(bytes)
  }
}

const NAME_BYTES = 12
/** A TiB of full blocks: 12 MiB of names. */
const MOST_NAMES = 2 ** 20

function compare(a: Uint8Array, atA: number, b: Uint8Array, atB: number): number {
  const [one, other] = [viewOf(a), viewOf(b)]
  for (let offset = 0; offset < NAME_BYTES; offset += 4) {
    const difference =
      one.getUint32(atA * NAME_BYTES + offset) - other.getUint32(atB * NAME_BYTES + offset)
    if (difference !== 0) return difference
  }
  return 0
}
