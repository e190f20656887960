/** What a host knows about whether others reach it without help. */
export interface ReachabilityEvidence {
  /** What its operator says; `auto` leaves it to the host. */
  readonly configured: 'auto' | 'yes' | 'no'
  /** Whether it listens at an address that is the internet's. */
  readonly hasPublicAddress: boolean
  /** Whether its router has agreed to forward a port of an address that is the internet's. */
  readonly isMapped: boolean
  /** Whether somebody from the internet has reached the port that it listens at. */
  readonly wasReached: boolean
  /** What a member found that was asked to connect to it. */
  readonly dialedBack: 'reached' | 'not-reached' | undefined
}

export type ReachabilityReason =
  | 'configured'
  | 'dialed-back'
  | 'was-reached'
  | 'mapped'
  | 'public-address'
  | 'not-reached'
  | 'no-evidence'

export interface Reachability {
  readonly reachable: boolean
  readonly why: ReachabilityReason
}

/**
 * What was seen counts for more than what should be: a router may forward to nowhere, and a host with an address of the
 * internet may stand behind a firewall. Until somebody has looked, both are believed, or the first nodes of a grid would
 * wait for one another.
 */
export function judgeReachability(evidence: ReachabilityEvidence): Reachability {
  if (evidence.configured !== 'auto') {
    return { reachable: evidence.configured === 'yes', why: 'configured' }
  }
  if (evidence.dialedBack === 'reached') return { reachable: true, why: 'dialed-back' }
  if (evidence.wasReached) return { reachable: true, why: 'was-reached' }
  if (evidence.dialedBack === 'not-reached') return { reachable: false, why: 'not-reached' }
  if (evidence.isMapped) return { reachable: true, why: 'mapped' }
  if (evidence.hasPublicAddress) return { reachable: true, why: 'public-address' }
  return { reachable: false, why: 'no-evidence' }
}
