import type { NodeKey } from '../../protocol/node-key.ts'
import type { RootState } from './memory.ts'

/** What a carer does and finds, as it happens. Names are those of {@link CareRoot}; nothing in it is secret. */
export type CareEvent =
  /** All nodes were asked whether they are there. */
  | { readonly kind: 'probed'; readonly there: number; readonly nodes: number }
  /** A node has been away for so long that its shares count no more, or is back after that. */
  | { readonly kind: 'gone' | 'back'; readonly node: NodeKey }
  /** A node was asked for random leaves of shares that it says to hold. */
  | {
      readonly kind: 'audited'
      readonly node: NodeKey
      readonly good: number
      readonly bad: number
    }
  /** A node has failed so often that its word counts no more, or has not for so long that it does again. */
  | { readonly kind: 'distrusted' | 'trusted'; readonly node: NodeKey }
  | ({ readonly kind: 'visited'; readonly root: string; readonly renewed: boolean } & Visited)
  | ({ readonly kind: 'drilled'; readonly root: string } & DrillReport)
  /** Something did not work out, and will be tried again. */
  | {
      readonly kind: 'failed'
      readonly what: string
      readonly code: string
      readonly message: string
    }

/** What a visit to a root has done. */
export interface Visited {
  readonly state: RootState
  readonly sharesPlaced: number
  readonly copiesPlaced: number
  readonly sharesMoved: number
  /** Shares of which there were more than there need be, and that are kept no longer. */
  readonly surplusDropped: number
  /** Traffic that repairs still need and the budget of the day has not; 0 if nothing is left to do. */
  readonly deferredBytes: number
}

/** Whether what is kept can be had for real. */
export interface DrillReport {
  /** What was fetched: whole files, by who may read; or blocks with all their shares, by who may verify. */
  readonly what: 'files' | 'blocks'
  readonly tried: number
  readonly whole: number
  readonly bytes: number
}
