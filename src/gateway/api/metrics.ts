import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import { readSyncs } from '../../home/sync-file.ts'
import { readSyncStatus } from '../../home/sync-status-file.ts'
import type { ApiContext } from './context.ts'

/** What the daemon counts, in Prometheus' format. Labels hold no path, name or capability. */
export class DaemonMetrics {
  readonly #registry = new Registry()
  readonly #requests: Counter<'route' | 'status'>

  constructor(context: ApiContext) {
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    this.#requests = new Counter({
      name: 'hayloft_api_requests_total',
      help: 'Requests to the API, by route and status.',
      labelNames: ['route', 'status'],
      registers,
    })
    const gauge = (name: string, help: string, value: () => number): Gauge =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(value())
        },
      })
    const { network, membership } = context.client
    gauge('hayloft_start_time_seconds', 'When the daemon started, in Unix seconds.', () =>
      Math.round(context.startedMs / 1000),
    )
    gauge(
      'hayloft_connected_members',
      'Members with an open connection.',
      () => network.connected().length,
    )
    gauge(
      'hayloft_storage_nodes',
      'Storage nodes that belong to the grid.',
      () => membership.nodes.length,
    )
    gauge(
      'hayloft_sent_bytes',
      'Sent over the storage protocol since the start.',
      () => network.traffic().sentBytes,
    )
    gauge(
      'hayloft_received_bytes',
      'Received over the storage protocol since the start.',
      () => network.traffic().receivedBytes,
    )
    addSyncGauges(context, this.#registry)
  }

  count(route: string, status: number): void {
    this.#requests.inc({ route, status })
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  async text(): Promise<string> {
    return await this.#registry.metrics()
  }
}

function addSyncGauges({ files, account }: ApiContext, registry: Registry): void {
  const registers = [registry]
  const syncs = new Gauge({
    name: 'hayloft_syncs',
    help: 'Synced directories, by state.',
    labelNames: ['state'],
    registers,
    async collect() {
      this.reset()
      let [pending, conflicts] = [0, 0]
      for (const { id, isPaused } of await readSyncs(files.syncs, account)) {
        const status = await readSyncStatus(files, id)
        this.inc({ state: isPaused ? 'paused' : (status?.state ?? 'never-synced') })
        pending += status?.pending ?? 0
        conflicts += status?.conflicts ?? 0
      }
      waiting.set(pending)
      copies.set(conflicts)
    },
  })
  void syncs
  const waiting = new Gauge({
    name: 'hayloft_sync_pending',
    help: 'Changes that wait to be brought over.',
    registers,
  })
  const copies = new Gauge({
    name: 'hayloft_sync_conflicts',
    help: 'Conflict copies to look at.',
    registers,
  })
}
