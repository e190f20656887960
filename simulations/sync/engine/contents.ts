/** Paths on one device's disk by what is there. */
export type PathsByText = ReadonlyMap<string, readonly string[]>

/**
 * What of all that users wrote must still be there in the end: whatever nobody who had it gave up. A content that a disk had in
 * several places, since it was copied or became a conflict copy, is given up once somebody took it away from each name
 * that users gave it; conflict copies go by the name of the file that they are versions of.
 */
export class Contents {
  readonly #kept = new Set<string>()
  readonly #copied = new Set<string>()
  /** Of which somebody took away one of several, so that it is only told by names whether it is given up. */
  readonly #dividedUp = new Set<string>()
  /** By text and name: the devices whose users took it away there and did not put it back; none if it was only put there. */
  readonly #places = new Map<string, Map<string, Set<string>>>()

  write(text: string): void {
    this.#kept.add(text)
  }

  copy(text: string): void {
    this.#copied.add(text)
  }

  giveUp(text: string): void {
    this.#kept.delete(text)
  }

  isKept(text: string): boolean {
    return this.#kept.has(text)
  }

  /** What a user did to what their device's disk showed. */
  change(device: string, before: PathsByText, after: PathsByText): void {
    for (const text of new Set([...before.keys(), ...after.keys()])) {
      const [was, is] = [before.get(text) ?? [], after.get(text) ?? []]
      this.#changePlaces(device, text, { was, is })
      if (was.length > 0 && this.#isGivenUp(text, { was, is })) this.#kept.delete(text)
    }
  }

  /** @param isSequential - nobody acted before they had seen what others did */
  *due({ isSequential }: { readonly isSequential: boolean }): Generator<string> {
    for (const text of this.#kept) {
      if (isSequential || !this.#dividedUp.has(text) || this.#hasPlace(text)) yield text
    }
  }

  /** While the engine moves a file, its content may be there twice: who takes away one of the two means the file. */
  #isGivenUp(text: string, { was, is }: Record<'was' | 'is', readonly string[]>): boolean {
    if (is.length === 0) return true
    if (is.length >= was.length) return false
    const isConflict = was.some((path) => path.includes('(conflict'))
    if (!isConflict && !this.#copied.has(text)) return true
    this.#dividedUp.add(text)
    return false
  }

  #changePlaces(
    device: string,
    text: string,
    { was, is }: Record<'was' | 'is', readonly string[]>,
  ): void {
    const [had, has] = [new Set(was.map(nameOf)), new Set(is.map(nameOf))]
    const places = this.#places.get(text) ?? new Map<string, Set<string>>()
    this.#places.set(text, places)
    for (const name of has) {
      if (had.has(name)) continue
      if (places.has(name)) places.get(name)?.delete(device)
      else places.set(name, new Set())
    }
    for (const name of had) if (!has.has(name)) places.get(name)?.add(device)
  }

  /** Whether some user gave it a name where nobody took it away. */
  #hasPlace(text: string): boolean {
    return [...(this.#places.get(text)?.values() ?? [])].some((devices) => devices.size === 0)
  }
}

function nameOf(path: string): string {
  return path.replaceAll(/ \((?:conflict|changed meanwhile)[^)]*\)/g, '')
}
