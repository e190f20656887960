/** Maps and sets keep the order in which things came. Lets the oldest go, beyond so many. */
export function dropOldest<K>(
  entries: {
    readonly size: number
    keys(): Iterable<K>
    delete(key: K): boolean
  },
  most: number,
): void {
  for (const key of entries.keys()) {
    if (entries.size <= most) return
    entries.delete(key)
  }
}
