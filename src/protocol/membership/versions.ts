/** A statement of which only the newest counts. */
export interface Versioned {
  readonly seq: number
  readonly status?: 'in' | 'removed'
  readonly hash: string
}

/** Above zero if `a` counts and not `b`: the higher number, then a removal, then the higher hash. */
export function compareVersions(a: Versioned, b: Versioned): number {
  const removals = Number(a.status === 'removed') - Number(b.status === 'removed')
  return a.seq - b.seq || removals || (a.hash < b.hash ? -1 : Number(a.hash > b.hash))
}

export function newestBy<S extends Versioned, K>(
  statements: readonly S[],
  keyOf: (statement: S) => K,
): Map<K, S> {
  const newest = new Map<K, S>()
  for (const statement of statements) {
    const key = keyOf(statement)
    const other = newest.get(key)
    if (other === undefined || compareVersions(statement, other) > 0) newest.set(key, statement)
  }
  return newest
}
