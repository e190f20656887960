import { deferred, Semaphore } from '../foundation/concurrency.ts'
import type { Clock } from '../foundation/clock.ts'
import { systemCodeOf } from '../foundation/error.ts'
import type { Randomness } from '../foundation/randomness.ts'
import { blockId } from '../protocol/block-id.ts'
import { blockIdOf, decodeManifest, isShard, MalformedManifestError } from '../protocol/manifest.ts'
import type { PutOutcome, PutRequest, Reply, Request } from '../protocol/messages.ts'
import type { Refusal, StorageService } from '../protocol/network.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import { slotKey } from '../protocol/slot-key.ts'
import { Caretaker } from './caretaker.ts'
import { ownClaim, type Claim, type Tenant } from './claims.ts'
import { isNoSpace, type Disk } from './disk.ts'
import { drain, type DrainOptions } from './drain/drain.ts'
import type { DrainReport } from './drain/report.ts'
import { exportParcels, type ExportOptions, type ExportReport } from './parcels/export.ts'
import { importParcels, type ImportOptions, type ImportReport } from './parcels/import.ts'
import type { ReportStorageEvent } from './events.ts'
import { statusOf, type NodeStatus } from './node-status.ts'
import { answerAudit, getShare } from './proofs.ts'
import { refusal, refusalOf, SHUTTING_DOWN } from './refusals.ts'
import { memoryFor } from './request-memory.ts'
import { flawOf } from './requests.ts'
import type { RoomLimits } from './room.ts'
import { ShareStore } from './share-store.ts'
import { SlotRecords } from './slots/slot-records.ts'
import { SlotService } from './slots/slot-service.ts'
import { watchReply } from './slots/watch-reply.ts'
import { statOf } from './stat.ts'
import { Transfers } from './transfers.ts'
import type { CollectResult, ScrubOptions, ScrubResult, SweepResult } from './upkeep.ts'

/** Of the storage protocol. */
const VERSION = 1
/** Memory for what requests bring and replies take, over all callers; more requests wait their turn. */
const MEMORY_BYTES = 64 * 1024 * 1024
/** What may wait or be under way, over all callers, before the node is busy. */
const MAX_REQUESTS = 4096

const TELL_INTERVAL_MS = 60_000
const DEFAULT_RESERVE_BYTES = 128 * 1024 * 1024
const DEFAULT_IN_FLIGHT_BYTES = 8 * 1024 * 1024

export interface StorageNodeOptions {
  /** The node closes it when it is disposed of. */
  readonly disk: Disk
  readonly clock: Clock
  readonly randomness: Randomness
  /** What the node offers to the grid. */
  readonly capacityBytes: number
  /** Whose device a caller is and what that account may lease here; undefined for those who get nothing. */
  readonly accountOf: (caller: NodeKey) => Tenant | undefined
  /** What a member's account may lease, by its name; undefined for others. Without it, nothing can be handed over. */
  readonly tenantNamed?: (account: string) => Tenant | undefined
  /** Left free on the disk, whatever the capacity; 128 MiB by default. */
  readonly reserveBytes?: number
  /** What one caller may have in flight: told to callers, and kept by the network. */
  readonly inFlightBytes?: number
  readonly report?: ReportStorageEvent
}

/** What a node offers, which its operator may change while it runs. */
export interface NodeConditions extends RoomLimits {
  /** Whether it takes nothing new, since what it keeps is to go elsewhere. */
  readonly draining?: boolean | undefined
}

/**
 * Opens the shares on a disk. Quick even for many: what a crash left behind is looked for later, by
 * {@link StorageNode.startMaintenance}.
 * @throws UnreadableIndexError
 */
export async function openStorageNode(options: StorageNodeOptions): Promise<StorageNode> {
  const report = options.report ?? (() => undefined)
  const store = await ShareStore.open({
    ...options,
    reserveBytes: options.reserveBytes ?? DEFAULT_RESERVE_BYTES,
    report,
  })
  return new StorageNode(store, options, report)
}

/**
 * Keeps shares it cannot read, for the accounts it is told of. Answers any request with a reply or a refusal: it never
 * rejects, whatever a caller sends or the disk does.
 */
export class StorageNode implements StorageService, AsyncDisposable {
  readonly #store: ShareStore
  readonly #slots: SlotService
  readonly #options: StorageNodeOptions
  readonly #memory = new Semaphore(MEMORY_BYTES)
  readonly #closing = new AbortController()
  readonly #caretaker: Caretaker
  readonly #transfers: Transfers
  readonly #tenantNamed: (account: string) => Tenant | undefined
  readonly #idle = deferred()
  readonly #works = new Set<Promise<unknown>>()
  #requests = 0
  #toldMs = Number.NEGATIVE_INFINITY
  #closed: Promise<void> | undefined

  /** @internal See {@link openStorageNode}. */
  constructor(store: ShareStore, options: StorageNodeOptions, report: ReportStorageEvent) {
    this.#store = store
    this.#options = options
    const { clock, disk, randomness } = options
    this.#slots = new SlotService({
      ledger: store.ledger,
      records: new SlotRecords(disk.rows),
      room: store.room,
      clock,
      leaseNowS: () => store.nowS(),
      randomness,
      report,
    })
    const { signal } = this.#closing
    const slots = this.#slots.store
    const upkeep = { store, slots, files: disk.files, clock, report, signal }
    this.#caretaker = new Caretaker(upkeep, disk.rows)
    this.#tenantNamed = options.tenantNamed ?? (() => undefined)
    this.#transfers = new Transfers({
      store,
      slots: this.#slots,
      clock,
      tenantNamed: this.#tenantNamed,
    })
  }

  async handle(caller: NodeKey, request: Request, signal?: AbortSignal): Promise<Reply | Refusal> {
    const tenant = this.#options.accountOf(caller)
    if (tenant === undefined) return refusal('unserved', 'This node does not serve this caller.')
    const flaw = flawOf(request)
    if (flaw !== undefined) return refusal('malformed', `The request breaks the protocol: ${flaw}.`)
    if (this.#closing.signal.aborted) return refusal('busy', SHUTTING_DOWN)
    if (this.#requests >= MAX_REQUESTS) return refusal('busy', 'This node has too much to do.')
    this.#requests++
    try {
      const reading = <T>(work: () => Promise<T>): Promise<T> =>
        this.#within(memoryFor(request), signal, work)
      // Who waits for a change takes up memory only while it is looked up.
      if (request.op === 'slot-watch') {
        return watchReply(await this.#slots.watch(caller, request, { reading, signal }))
      }
      return await reading(() => this.#answer(tenant, request))
    } catch (error) {
      const refused = refusalOf(error, signal)
      if (refused.reason === 'internal') this.#tellOperator(refused.message)
      return refused
    } finally {
      this.#requests--
      if (this.#requests === 0 && this.#closing.signal.aborted) this.#idle.resolve()
    }
  }

  /** Frees what nobody leases any more. */
  collect(): Promise<CollectResult> {
    return this.#caretaker.collect()
  }

  /** Checks all that is kept, or some; see {@link scrub}. */
  scrub(options: ScrubOptions = {}): Promise<ScrubResult> {
    return this.#caretaker.scrub(options)
  }

  /** Changes what is offered and left free, and whether anything new is taken, from now on. */
  configure({ draining = false, capacityBytes, reserveBytes }: NodeConditions): void {
    // Who offers nothing takes nothing; what is kept already is served and leased as before.
    this.#store.room.limit({ capacityBytes: draining ? 0 : capacityBytes, reserveBytes })
  }

  /** What its operator may want to know. */
  async status(): Promise<NodeStatus> {
    return await statusOf(this.#store, this.#caretaker)
  }

  /** Gives all that is kept to other nodes, as far as they take it; see {@link drain}. */
  async drain(options: Omit<DrainOptions, 'store' | 'slots' | 'isMember'>): Promise<DrainReport> {
    const isMember = (account: string): boolean => this.#tenantNamed(account) !== undefined
    return await this.#atWork(options.signal, async (signal) => {
      return await drain({ ...options, ...this.#kept, signal, isMember })
    })
  }

  /** Copies what is kept to a directory; see {@link exportParcels}. */
  async export(options: Omit<ExportOptions, 'store' | 'slots'>): Promise<ExportReport> {
    return await this.#atWork(options.signal, async (signal) => {
      return await exportParcels({ ...options, ...this.#kept, signal })
    })
  }

  /** Takes over what another node has exported; see {@link importParcels}. */
  async import(options: Omit<ImportOptions, 'take'>): Promise<ImportReport> {
    const take: ImportOptions['take'] = async (parcel) => {
      const flaw = flawOf(parcel)
      if (flaw !== undefined) return { outcome: 'bad', refused: 0 }
      return await this.#transfers.parcel(parcel, (claim, share) => this.#put(claim, share))
    }
    return await this.#atWork(options.signal, async (signal) => {
      return await importParcels({ ...options, signal, take })
    })
  }

  /** Clears away what a crash left behind. */
  sweep(): Promise<SweepResult> {
    return this.#caretaker.sweep()
  }

  /** Adds up usage from the leases themselves, and corrects it. @returns whether it was right */
  recount(): Promise<boolean> {
    return this.#store.ledger.recount()
  }

  /** Starts to sweep, collect and scrub in the background, until the node is disposed of. */
  startMaintenance(): void {
    this.#caretaker.start()
  }

  /** Finishes what is under way and closes the disk. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  get #kept(): Pick<DrainOptions, 'store' | 'slots'> {
    return { store: this.#store, slots: this.#slots.store }
  }

  async #close(): Promise<void> {
    this.#closing.abort(new Error('The storage node is shutting down.'))
    this.#slots.close()
    if (this.#requests > 0) await this.#idle.promise
    await Promise.allSettled([this.#caretaker.ended(), ...this.#works])
    // A disk that fails loses what was witnessed since the last hour, no more.
    await this.#store.leaseClock.save().catch(() => undefined)
    await this.#options.disk[Symbol.asyncDispose]()
  }

  /** A disk that fails, fails every request: the operator is told now and then. */
  #tellOperator(message: string): void {
    const nowMs = this.#options.clock.monotonicMs()
    if (nowMs - this.#toldMs < TELL_INTERVAL_MS) return
    this.#toldMs = nowMs
    this.#options.report?.({ kind: 'disk-error', message })
  }

  /** Long work, which ends with the node, and whose end the node waits for. */
  async #atWork<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const working = work(AbortSignal.any([signal, this.#closing.signal]))
    this.#works.add(working)
    return await working.finally(() => this.#works.delete(working))
  }

  async #within<T>(
    bytes: number,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    const release = await this.#memory.acquire(bytes, signal)
    try {
      return await work()
    } finally {
      release()
    }
  }

  async #answer(tenant: Tenant, request: Exclude<Request, { op: 'slot-watch' }>): Promise<Reply> {
    switch (request.op) {
      case 'hello':
        return {
          op: 'hello',
          version: VERSION,
          capacityBytes: this.#store.room.capacityBytes,
          inFlightBytes: this.#options.inFlightBytes ?? DEFAULT_IN_FLIGHT_BYTES,
        }
      case 'put':
        return {
          op: 'put',
          outcome: await this.#put(
            ownClaim(tenant, () => this.#store.nowS() + request.leaseS),
            request,
          ),
        }
      case 'get':
        return await getShare(this.#store, request)
      case 'have':
        return { op: 'have', holdings: await this.#store.have(request.ids) }
      case 'lease':
        return {
          op: 'lease',
          holdings: await this.#store.lease(tenant, request.ids, request.leaseS),
        }
      case 'drop':
        return { op: 'drop', dropped: await this.#drop(tenant, request.ids) }
      case 'audit':
        return await answerAudit(this.#store, request)
      case 'stat':
        return await statOf(
          this.#store,
          tenant,
          request.accounts === true ? this.#tenantNamed : undefined,
        )
      case 'slot-put':
        return await this.#slots.put(tenant, request)
      case 'slot-get':
        return await this.#slots.get(tenant, request)
      case 'transfer':
        return await this.#transfers.share(tenant, request, (claim) => this.#put(claim, request))
      case 'slot-transfer':
        return await this.#transfers.record(tenant, request)
    }
  }

  /** A locator does not tell what it names; nothing is named by both kinds. */
  async #drop({ account }: Tenant, ids: readonly Uint8Array[]): Promise<number> {
    const [shares, slots] = await Promise.all([
      this.#store.drop(account, ids.map(blockId)),
      this.#slots.store.drop(account, ids.map(slotKey)),
    ])
    return shares + slots
  }

  async #put(
    claim: Claim,
    { manifest, index, shard }: Pick<PutRequest, 'manifest' | 'index' | 'shard'>,
  ): Promise<PutOutcome> {
    if (!isGood(manifest, index, shard)) return 'bad'
    try {
      return await this.#store.put(claim, { id: blockIdOf(manifest), manifest, index, shard })
    } catch (error) {
      if (isNoSpace(systemCodeOf(error))) return 'full'
      throw error
    }
  }
}

function isGood(manifest: Uint8Array, index: number, shard: Uint8Array): boolean {
  try {
    return isShard(decodeManifest(manifest), index, shard)
  } catch (error) {
    if (error instanceof MalformedManifestError) return false
    throw error
  }
}
