import { createHash } from 'node:crypto'
import { systemClock } from '../../src/foundation/system.ts'
import { nodeKeyOfIdentity } from '../../src/network/identity.ts'
import { openNetwork, type GridNetwork, type NetworkOptions } from '../../src/network/open.ts'
import type { NodeKey } from '../../src/protocol/node-key.ts'

/** The identity of the test host `name`. */
export function identityOf(name: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(name).digest())
}

export function keyOf(name: string): NodeKey {
  return nodeKeyOfIdentity(identityOf(name))
}

const LOOPBACK = '/ip4/127.0.0.1/tcp/0'

/** Opens hosts of one grid by name, and closes all of them in the end. */
export class TestGrid implements AsyncDisposable {
  readonly members: Set<NodeKey>
  readonly #open: GridNetwork[] = []

  constructor(names: readonly string[]) {
    this.members = new Set(names.map(keyOf))
  }

  async open(name: string, options: Partial<NetworkOptions> = {}): Promise<GridNetwork> {
    const network = await openNetwork({
      identity: identityOf(name),
      gridId: identityOf('the grid'),
      members: { isMember: (key) => this.members.has(key), keys: () => [...this.members] },
      listen: [LOOPBACK],
      bootstrap: [],
      clock: systemClock,
      ...options,
    })
    this.#open.push(network)
    return network
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#open.map((network) => network[Symbol.asyncDispose]()))
  }
}

/** Repeats `attempt` until it succeeds; the test's own timeout is the limit. */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch {
      await new Promise((resolve) => systemClock.after(50, () => resolve(undefined)))
    }
  }
}
