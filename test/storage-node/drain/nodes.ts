import { SimulatedDrive } from '../../../simulations/disk.ts'
import { SeededRandomness } from '../../../simulations/randomness.ts'
import type { Clock } from '../../../src/foundation/clock.ts'
import { assert } from '../../../src/foundation/error.ts'
import { systemRandomness } from '../../../src/foundation/system.ts'
import { shareIndices } from '../../../src/protocol/bitmap.ts'
import type { BlockId } from '../../../src/protocol/block-id.ts'
import type { Op, ReplyOf, RequestOf } from '../../../src/protocol/messages.ts'
import { RefusedError, UnreachableError, type Caller } from '../../../src/protocol/network.ts'
import { nodeKey, type NodeKey } from '../../../src/protocol/node-key.ts'
import type { Destination } from '../../../src/storage-node/drain/destinations.ts'
import type { DrainReport } from '../../../src/storage-node/drain/report.ts'
import { openStorageNode, type StorageNode } from '../../../src/storage-node/storage-node.ts'
import { HandClock } from '../../support/storage-nodes.ts'

/** Members' accounts, by name. */
export const accounts = { ada: 'ad'.repeat(32), bert: 'be'.repeat(32), cleo: 'c1'.repeat(32) }
export const keyOf = (at: number): NodeKey => nodeKey(String(at).padStart(2, '0').repeat(32))
const accountBytes = (account: string): Uint8Array => new Uint8Array(Buffer.from(account, 'hex'))

export interface NodesOptions {
  readonly count: number
  readonly zoneOf?: (at: number) => string
  readonly quotaBytes?: number
  readonly capacityBytes?: number
  readonly clock?: Clock
}

/** Storage nodes that call each other directly. Callers are devices `<account>` or nodes, whose account is their own key. */
export class Nodes implements AsyncDisposable {
  readonly nodes: StorageNode[] = []
  readonly away = new Set<NodeKey>()
  readonly clock: Clock
  readonly drives: SimulatedDrive[] = []
  readonly #options: NodesOptions
  /** May be changed as a test goes on. */
  quotaBytes: number
  /** Accounts that belong to the grid, likewise. */
  readonly members = new Set<string>(Object.values(accounts))

  private constructor(options: NodesOptions) {
    this.#options = options
    this.clock = options.clock ?? new HandClock()
    this.quotaBytes = options.quotaBytes ?? 2 ** 40
  }

  static async open(options: NodesOptions): Promise<Nodes> {
    const nodes = new Nodes(options)
    for (let at = 0; at < options.count; at++) await nodes.#openOne(at)
    return nodes
  }

  async #openOne(at: number): Promise<void> {
    const randomness = new SeededRandomness(at)
    const drive = new SimulatedDrive({ clock: this.clock, randomness })
    this.drives[at] = drive
    const { capacityBytes = 2 ** 40 } = this.#options
    this.nodes[at] = await openStorageNode({
      disk: drive.open(),
      clock: this.clock,
      randomness: systemRandomness,
      capacityBytes,
      reserveBytes: 0,
      accountOf: (caller) => ({ account: caller, quotaBytes: this.quotaBytes }),
      tenantNamed: (account) =>
        this.members.has(account) ? { account, quotaBytes: this.quotaBytes } : undefined,
    })
  }

  async ask<O extends Op>(at: number, who: string, request: RequestOf<O>): Promise<ReplyOf<O>> {
    const reply = await this.nodes[at]!.handle(nodeKey(who), request)
    assert(reply.op === request.op, `the node answered ${JSON.stringify(reply)}`)
    return reply
  }

  /** How a node reaches the others. */
  callerOf(from: number): Caller {
    return {
      call: async <O extends Op>(to: NodeKey, request: RequestOf<O>): Promise<ReplyOf<O>> => {
        const at = this.nodes.findIndex((_, index) => keyOf(index) === to)
        if (this.away.has(to) || at < 0) throw new UnreachableError(to, 'it is away')
        const reply = await this.nodes[at]!.handle(keyOf(from), request)
        if (reply.op === 'refused') throw new RefusedError(to, reply)
        return reply
      },
    }
  }

  async drain(from: number, signal = new AbortController().signal): Promise<DrainReport> {
    this.nodes[from]!.configure({ capacityBytes: 2 ** 40, reserveBytes: 0, draining: true })
    return await this.nodes[from]!.drain({
      caller: this.callerOf(from),
      order: () => this.othersOf(from),
      signal,
      onProgress: () => undefined,
    })
  }

  othersOf(from: number): Destination[] {
    const zoneOf = this.#options.zoneOf ?? String
    return this.nodes
      .map((_, at) => ({ key: keyOf(at), zone: zoneOf(at) }))
      .filter((_, at) => at !== from)
  }

  /** Which shares each node has of a block. */
  async holdings(id: BlockId): Promise<number[][]> {
    return await Promise.all(
      this.nodes.map(async (_, at) => {
        const { holdings } = await this.ask<'have'>(at, accounts.ada, { op: 'have', ids: [id] })
        return shareIndices(holdings[0]!)
      }),
    )
  }

  /** What a node keeps for an account: by its own leases, and handed over. */
  async usage(at: number, account: string): Promise<[used: number, handed: number]> {
    const reply = await this.ask<'stat'>(at, accounts.ada, { op: 'stat', accounts: true })
    const wanted = accountBytes(account)
    const found = reply.accounts?.find((each) => Buffer.from(each.account).equals(wanted))
    return [found?.usedBytes ?? 0, found?.handedBytes ?? 0]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node[Symbol.asyncDispose]()))
  }
}

export { accountBytes }
