import type { Clock } from '../../src/foundation/clock.ts'
import { assert } from '../../src/foundation/error.ts'
import { systemRandomness } from '../../src/foundation/system.ts'
import { shareIndices } from '../../src/protocol/bitmap.ts'
import type { BlockId } from '../../src/protocol/block-id.ts'
import type { Op, PutOutcome, ReplyOf, RequestOf } from '../../src/protocol/messages.ts'
import { nodeKey, type NodeKey } from '../../src/protocol/node-key.ts'
import type { Disk } from '../../src/storage-node/disk.ts'
import type { StorageEvent } from '../../src/storage-node/events.ts'
import { openStorageNode, type StorageNode } from '../../src/storage-node/storage-node.ts'
import type { TestBlock } from './blocks.ts'

export const ALICE = nodeKey('a1'.repeat(32))
export const BOB = nodeKey('b0'.repeat(32))
export const STRANGER = nodeKey('ee'.repeat(32))

/** Time that only the test moves. Timers never fire: for what takes a clock to read it. */
export class HandClock implements Clock {
  #nowMs = Date.UTC(2026, 0, 1)

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(): () => void {
    return () => undefined
  }

  advanceS(seconds: number): void {
    this.#nowMs += seconds * 1000
  }
}

export interface TestNodeOptions {
  disk: Disk
  clock?: Clock
  capacityBytes?: number
  quotaBytes?: number
  reserveBytes?: number
  /** Serves every caller, each as an account of its own. */
  anyone?: boolean
}

/** A storage node that serves Alice and Bob, and speaks in shares instead of messages. */
export class TestNode implements AsyncDisposable {
  readonly node: StorageNode
  readonly events: StorageEvent[]

  private constructor(node: StorageNode, events: StorageEvent[]) {
    this.node = node
    this.events = events
  }

  static async open({
    disk,
    clock = new HandClock(),
    capacityBytes = 2 ** 40,
    quotaBytes = 2 ** 40,
    reserveBytes = 0,
    anyone = false,
  }: TestNodeOptions): Promise<TestNode> {
    const events: StorageEvent[] = []
    const accounts = new Map([
      [ALICE, { account: 'alice', quotaBytes }],
      [BOB, { account: 'bob', quotaBytes }],
    ])
    const node = await openStorageNode({
      disk,
      clock,
      randomness: systemRandomness,
      capacityBytes,
      reserveBytes,
      accountOf: (caller) => (anyone ? { account: caller, quotaBytes } : accounts.get(caller)),
      report: (event) => events.push(event),
    })
    return new TestNode(node, events)
  }

  /** @throws if the node refuses */
  async ask<O extends Op>(caller: NodeKey, request: RequestOf<O>): Promise<ReplyOf<O>> {
    const reply = await this.node.handle(caller, request)
    assert(reply.op === request.op, `the node answered ${JSON.stringify(reply)}`)
    return reply
  }

  async put(caller: NodeKey, block: TestBlock, index: number, leaseS = 1000): Promise<PutOutcome> {
    const shard = block.shards[index]!
    const { manifest } = block
    return (await this.ask<'put'>(caller, { op: 'put', manifest, index, leaseS, shard })).outcome
  }

  async get(id: BlockId, index?: number): Promise<Uint8Array | undefined> {
    const which = index === undefined ? {} : { index }
    return (await this.ask<'get'>(ALICE, { op: 'get', id, ...which })).share?.bytes
  }

  async held(id: BlockId): Promise<number[]> {
    const { holdings } = await this.ask<'have'>(ALICE, { op: 'have', ids: [id] })
    return shareIndices(holdings[0]!)
  }

  async lease(caller: NodeKey, ids: readonly BlockId[], leaseS = 1000): Promise<number[][]> {
    const { holdings } = await this.ask<'lease'>(caller, { op: 'lease', ids, leaseS })
    return holdings.map((bitmap) => shareIndices(bitmap))
  }

  async usedBytesOf(caller: NodeKey): Promise<number> {
    return (await this.ask<'stat'>(caller, { op: 'stat' })).account.usedBytes
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.node[Symbol.asyncDispose]()
  }
}

/** What a share counts for. */
export function shareBytesOf(block: TestBlock): number {
  return block.manifest.length + block.shards[0]!.length
}
