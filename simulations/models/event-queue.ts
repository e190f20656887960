/** What is to happen, earliest first; what is due at the same time, in the order in which it was put in (a binary heap). */
export class EventQueue<T> {
  readonly #heap: Entry<T>[] = []
  #added = 0

  get size(): number {
    return this.#heap.length
  }

  add(at: number, event: T): void {
    const heap = this.#heap
    heap.push({ at, order: this.#added++, event })
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1
      if (!isBefore(heap[child]!, heap[parent]!)) break
      swap(heap, child, parent)
      child = parent
    }
  }

  take(): { readonly at: number; readonly event: T } | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    heap[0] = last
    for (let parent = 0; ;) {
      let least = parent
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < heap.length && isBefore(heap[child]!, heap[least]!)) least = child
      }
      if (least === parent) return first
      swap(heap, parent, least)
      parent = least
    }
  }
}

interface Entry<T> {
  readonly at: number
  readonly order: number
  readonly event: T
}

function isBefore<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

function swap<T>(heap: Entry<T>[], a: number, b: number): void {
  const entry = heap[a]!
  heap[a] = heap[b]!
  heap[b] = entry
}
