import type { SimulatedClock } from './clock.ts'

/** What is carried at a time of one lane before the next has its turn: about ten packets. */
const TURN_BYTES = 16 * 1024

/** One direction of the line of a house: all lanes of all connections share it, and take turns as TCP streams do. */
export class SimulatedLine {
  readonly #clock: SimulatedClock
  readonly #bytesPerMs: number
  /** Lanes with something to carry, in the order of their turns. */
  readonly #lanes = new Map<object, Piece[]>()
  #isBusy = false

  constructor(clock: SimulatedClock, bytesPerMs: number) {
    this.#clock = clock
    this.#bytesPerMs = bytesPerMs
  }

  /** Calls `passed` once the bytes have left the line; those of one lane in their order. */
  carry(lane: object, bytes: number, passed: () => void): void {
    const waiting = this.#lanes.get(lane)
    const piece = { bytes, passed }
    if (waiting === undefined) this.#lanes.set(lane, [piece])
    else waiting.push(piece)
    if (!this.#isBusy) this.#carryNext()
  }

  #carryNext(): void {
    const [next] = this.#lanes
    this.#isBusy = next !== undefined
    if (next === undefined) return
    const [lane, waiting] = next
    const piece = waiting[0] as Piece
    const bytes = Math.min(piece.bytes, TURN_BYTES)
    this.#clock.after(bytes / this.#bytesPerMs, () => {
      piece.bytes -= bytes
      const isPassed = piece.bytes === 0
      if (isPassed) waiting.shift()
      // To the end of those that take turns.
      this.#lanes.delete(lane)
      if (waiting.length > 0) this.#lanes.set(lane, waiting)
      this.#carryNext()
      if (isPassed) piece.passed()
    })
  }
}

interface Piece {
  bytes: number
  readonly passed: () => void
}
