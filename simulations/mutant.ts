/** A way to break the code, of which a suite must notice. */
export interface Mutant {
  readonly name: string
  readonly file: string
  /** Occurs once in the file. */
  readonly right: string
  readonly wrong: string
}
