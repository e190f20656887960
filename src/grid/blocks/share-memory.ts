import { allocateBytes } from '../../foundation/bytes.ts'

/** New pages from the system cost more than all hashing, so the memory of full blocks' shares goes round. */
export class ShareMemory {
  readonly #fullBytes: number
  readonly #spare: Uint8Array[] = []

  /** @param fullBytes what the shares of a full block take */
  constructor(fullBytes: number) {
    this.#fullBytes = fullBytes
  }

  take(bytes: number): Uint8Array {
    return (bytes === this.#fullBytes ? this.#spare.pop() : undefined) ?? allocateBytes(bytes)
  }

  /** The memory must not be in use any more. Keeps as much of it as was ever taken at one time. */
  giveBack(memory: Uint8Array): void {
    if (memory.length === this.#fullBytes) this.#spare.push(memory)
  }
}
