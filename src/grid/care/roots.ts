import type { VerifyCapability } from '../../capabilities/capability.ts'
import type { HistoryOptions } from '../maintenance/frontier.ts'
import { rootLinkOf } from '../maintenance/root-link.ts'
import { toHex } from '../../foundation/bytes.ts'
import type { DrillReport } from './events.ts'

/** Something to look after, with all that it leads to. */
export interface CareRoot {
  /** What it is called in what a carer tells. */
  readonly name: string
  readonly capability: VerifyCapability
  /**
   * Whether this home's account keeps it: then shares are moved to where they belong today. Who looks after what is
   * others' would only add copies, for it is their leases that keep the old ones.
   */
  readonly isOwn: boolean
  /** Whether it need not be there: a root folder that nobody has written to. */
  readonly mayBeAbsent?: boolean | undefined
  /** What of the past is kept, for who may read; otherwise all that is there. */
  readonly history?: ((signal: AbortSignal) => Promise<HistoryOptions>) | undefined
  /** Fetches some of its files for real, for who may read. */
  readonly drill?: ((signal: AbortSignal) => Promise<DrillReport | undefined>) | undefined
}

/** By what a root is remembered: where it is. That opens nothing. Of a–z, 0–9 and `-`. */
export function rootIdOf({ capability }: Pick<CareRoot, 'capability'>): string {
  const link = rootLinkOf(capability)
  return link.type === 'slot' ? `slot-${toHex(link.slot)}` : `block-${toHex(link.id)}`
}
