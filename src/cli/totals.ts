import type { Progress } from './progress.ts'

/** Bytes of several transfers together, shown as one. */
export class Totals {
  readonly #progress: Progress
  #doneBytes = 0
  #totalBytes: number | undefined = 0

  constructor(progress: Progress) {
    this.#progress = progress
  }

  /** @param sizeBytes of one more transfer; undefined if nobody knows, and then the total is not known either */
  expect(sizeBytes: number | undefined): void {
    const known = this.#totalBytes
    this.#totalBytes =
      known === undefined || sizeBytes === undefined ? undefined : known + sizeBytes
  }

  async *counting(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      yield chunk
      this.#doneBytes += chunk.length
      this.#progress.update({ bytes: this.#doneBytes, totalBytes: this.#totalBytes })
    }
  }
}
