import {
  constants,
  PerformanceObserver,
  type NodeGCPerformanceDetail,
  type PerformanceEntry,
} from 'node:perf_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'

/**
 * V8 counts the memory of buffers as growth of the heap, and lets that grow to a multiple of what is alive before it collects
 * all of it again. With the 20 MB that are alive here, that can be after every 16 MB of shares that pass by, and then takes more
 * processor time than all else that is done with them. So from here on the heap may grow by {@link ROOM_BYTES} at least; where
 * more is alive than that, V8 knows better. From Node 24 on it leaves as much room for buffers by itself.
 */
export function letHeapGrow(): void {
  const observer = new PerformanceObserver((list) => {
    const collections = list.getEntries() as Collection[]
    const isMajor = ({ detail: { kind } }: Collection): boolean =>
      kind === constants.NODE_PERFORMANCE_GC_MAJOR
    if (collections.some(isMajor)) setGrowth()
  })
  observer.observe({ entryTypes: ['gc'] })
  setGrowth()
}

/** The type of entries leaves it out. */
type Collection = PerformanceEntry & { readonly detail: NodeGCPerformanceDetail }

function setGrowth(): void {
  const { used_heap_size: liveBytes } = getHeapStatistics()
  const wanted = Math.ceil((100 * ROOM_BYTES) / liveBytes)
  const percent = liveBytes < ROOM_BYTES ? Math.min(wanted, MOST_PERCENT) : BY_ITSELF
  setFlagsFromString(`--heap-growing-percent=${percent}`)
}

/** Beyond 64 MB of buffers V8 begins to collect in any case. */
const ROOM_BYTES = 64 * 2 ** 20
const BY_ITSELF = 0
/** What was alive when this was worked out may be a small part of what is by the next collection. */
const MOST_PERCENT = 400
