import type { NodeKey } from '../../protocol/node-key.ts'
import type { VersionVector } from '../../protocol/version-vector.ts'
import type { Head } from './heads.ts'
import type { Freshness } from './poll.ts'

/** How a slot is to be read. */
export interface ReadOptions {
  readonly signal?: AbortSignal | undefined
}

/** How a slot is to be read by this client itself. */
export interface RefreshOptions extends ReadOptions {
  /** For the first write of a process, which must find all that its device wrote before. */
  readonly isForWrite?: boolean | undefined
}

/** What a slot is, after nodes were asked. */
export interface Refreshed {
  readonly heads: readonly Head[]
  readonly freshness: Freshness
  /** Writes that were seen before and that no node showed, where enough nodes answered to tell. */
  readonly missing: VersionVector | undefined
}

/** Where a slot is. */
export interface SlotHealth {
  /** States that it has now; none if nobody ever wrote it, or all copies are lost. */
  readonly heads: number
  /** Nodes that keep all of them. */
  readonly holders: readonly NodeKey[]
  /** As many as these there should be. */
  readonly copies: number
  readonly answered: readonly NodeKey[]
}
