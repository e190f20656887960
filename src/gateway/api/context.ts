import type { AccountSecret } from '../../capabilities/account.ts'
import type { HomeFiles } from '../../home/layout.ts'
import type { NodeChange, NodeConfigJson } from '../../home/node-file.ts'
import type { Client } from '../../library/client.ts'
import type { Caller } from '../../protocol/network.ts'
import type { EventHub } from '../daemon/events.ts'
import type { DaemonLog } from '../daemon/log.ts'
import type { Syncs } from '../daemon/syncs.ts'

/** What the API serves. */
export interface ApiContext {
  readonly files: HomeFiles
  readonly account: AccountSecret
  readonly client: Client
  /** Calls nodes, this home's own one included. */
  readonly caller: Caller
  /** The storage node of this home, if the daemon runs it. */
  readonly node: DaemonNode | undefined
  readonly syncs: Pick<Syncs, 'follow' | 'look' | 'workOf'>
  readonly events: EventHub
  readonly log: DaemonLog
  readonly version: string
  /** ms since 1970 */
  readonly startedMs: number
  /** Whether the daemon looks after what the home keeps. */
  readonly isCaring: boolean
  /** Ends the daemon. */
  readonly stop: () => void
  /** Fires when it ends. */
  readonly signal: AbortSignal
}

/** A storage node in the same process. */
export interface DaemonNode {
  /** Multiaddrs at which it listens. */
  addresses(): readonly string[]
  /** As `hayloft node status --json` has it. */
  status(): Promise<object>
  scrub(): Promise<object>
  collect(): Promise<object>
  /** How it is to run, as `hayloft node config --json` has it. */
  config(): Promise<NodeConfigJson>
  /** @throws CliError if the change is none */
  configure(
    change: NodeChange,
    signal: AbortSignal,
  ): Promise<NodeConfigJson & { readonly applied: 'running' | 'not-running' | 'late' }>
  /** Gives away what it keeps, as `hayloft node drain --json` tells it. */
  drain(
    onProgress: (progress: { doneBytes: number; totalBytes: number }) => void,
    signal: AbortSignal,
  ): Promise<object>
  stopDraining(signal: AbortSignal): Promise<void>
}
