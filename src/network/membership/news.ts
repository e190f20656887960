import type { Connection } from '@libp2p/interface'
import type { Clock } from '../../foundation/clock.ts'
import { MAX_STATEMENTS } from '../../protocol/membership/limits.ts'
import type { Statement, StatementHash } from '../../protocol/membership/statements.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { PUSH_DELAY_MS } from './limits.ts'

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

/**
 * Passes on what is new to all members that are connected, but for those it came from. Each hears of it in order, for one
 * statement may rest on another, and at its own pace: a member that takes none holds up nobody else.
 */
export class News {
  readonly #options: NewsOptions
  readonly #fresh = new Map<StatementHash, { bytes: Uint8Array; from: NodeKey | undefined }>()
  /** What members are told next, who are being told something now; as much as there is to know at most. */
  readonly #waiting = new Map<NodeKey, Map<StatementHash, Uint8Array>>()
  readonly #telling = new Map<NodeKey, Promise<void>>()
  #cancel: (() => void) | undefined

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
    const fresh = [...this.#fresh]
    this.#fresh.clear()
    for (const node of this.#options.connections().keys()) {
      const news = fresh.filter(([, { from }]) => from !== node)
      if (news.length > 0)
        this.#tellSoon(
          node,
          news.map(([hash, { bytes }]) => [hash, bytes]),
        )
    }
    await Promise.all(this.#telling.values())
  }

  #tellSoon(node: NodeKey, news: readonly (readonly [StatementHash, Uint8Array])[]): void {
    const waiting = this.#waiting.get(node) ?? new Map<StatementHash, Uint8Array>()
    this.#waiting.set(node, waiting)
    for (const [hash, bytes] of news) waiting.set(hash, bytes)
    // Whoever falls behind by more than there can be asks for it all in an exchange.
    for (const hash of waiting.keys()) {
      if (waiting.size <= MAX_STATEMENTS) break
      waiting.delete(hash)
    }
    if (this.#telling.has(node)) return
    const telling = this.#tellAll(node).finally(() => this.#telling.delete(node))
    this.#telling.set(node, telling)
  }

  async #tellAll(node: NodeKey): Promise<void> {
    for (;;) {
      const waiting = this.#waiting.get(node)
      this.#waiting.delete(node)
      const connection = this.#options.connections().get(node)
      if (waiting === undefined || connection === undefined) return
      await this.#options.tell(node, connection, [...waiting.values()])
    }
  }
}
