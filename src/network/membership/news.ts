import type { Connection } from '@libp2p/interface'
import type { Clock } from '../../foundation/clock.ts'
import { mapConcurrently } from '../../foundation/concurrency.ts'
import type { Statement, StatementHash } from '../../protocol/membership/statements.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { PUSH_CONCURRENCY, PUSH_DELAY_MS } from './limits.ts'

export interface NewsOptions {
  readonly clock: Clock
  /** Whether what came from others is passed on: nodes do, and clients only tell what is their own. */
  readonly passesOn: boolean
  /** Members that are connected now, one connection each. */
  readonly connections: () => ReadonlyMap<NodeKey, Connection>
  /** Never rejects. */
  readonly tell: (
    node: NodeKey,
    connection: Connection,
    statements: readonly Uint8Array[],
  ) => Promise<void>
}

/** Passes on what is new to all members that are connected, but for those it came from. */
export class News {
  readonly #options: NewsOptions
  readonly #fresh = new Map<StatementHash, { bytes: Uint8Array; from: NodeKey | undefined }>()
  #cancel: (() => void) | undefined
  #telling: Promise<void> = Promise.resolve()

  constructor(options: NewsOptions) {
    this.#options = options
  }

  add(statements: readonly Statement[], from: NodeKey | undefined): void {
    if (from !== undefined && !this.#options.passesOn) return
    for (const { hash, bytes } of statements) this.#fresh.set(hash, { bytes, from })
    // What comes together is told together.
    this.#cancel ??= this.#options.clock.after(PUSH_DELAY_MS, () => {
      void this.flush()
    })
  }

  /** Resolves once everybody who is connected was told, or could not be. */
  async flush(): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
    if (this.#fresh.size > 0) {
      const fresh = [...this.#fresh.values()]
      this.#fresh.clear()
      // In order, for one statement may rest on another.
      this.#telling = this.#tellAfter(this.#telling, fresh)
    }
    await this.#telling
  }

  async #tellAfter(before: Promise<void>, fresh: Fresh): Promise<void> {
    await before
    await this.#tell(fresh)
  }

  async #tell(fresh: Fresh): Promise<void> {
    const connections = [...this.#options.connections()]
    await mapConcurrently(connections, PUSH_CONCURRENCY, async ([node, connection]) => {
      const statements = fresh.filter(({ from }) => from !== node).map(({ bytes }) => bytes)
      if (statements.length > 0) await this.#options.tell(node, connection, statements)
    })
  }
}

/** What was not told yet, and from whom it came. */
type Fresh = readonly { readonly bytes: Uint8Array; readonly from: NodeKey | undefined }[]
