import { createHash, type Hash } from 'node:crypto'

/** Everything that happened in a run, as one hash: two runs of one seed must have the same. */
export class Trace {
  readonly #hash: Hash = createHash('sha256')
  readonly #print: ((line: string) => void) | undefined
  #notes = 0

  /** @param print gets every line as it is noted */
  constructor(print?: (line: string) => void) {
    this.#print = print
  }

  note(atMs: number, text: string): void {
    const line = `${atMs.toFixed(3)} ${text}\n`
    this.#hash.update(line)
    this.#notes++
    this.#print?.(line)
  }

  get notes(): number {
    return this.#notes
  }

  /** The hash of all notes so far; more may follow. */
  digest(): string {
    return this.#hash.copy().digest('hex')
  }
}
