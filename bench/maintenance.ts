import { toVerify } from '../src/capabilities/capability.ts'
import { erasureCode } from '../src/erasure/code.ts'
import { assert } from '../src/foundation/error.ts'
import type { CareEvent } from '../src/grid/care/events.ts'
import { VolatileCareMemory } from '../src/grid/care/memory.ts'
import { SeededRandomness } from '../simulations/randomness.ts'
import { sourceOf } from '../simulations/bytes.ts'
import { World } from '../simulations/world.ts'

/**
 * What it costs to look after files: a month of virtual time over real nodes and a real carer, counted in bytes of whole
 * messages, and the repair after one node of ten has lost its drive. `npm run bench-maintenance`
 */
const DATA_MIB = 96
const NODES = 10
const CODE = erasureCode(3, 10)
const MIB = 2 ** 20
const DAY_MS = 24 * 3_600_000

async function main(): Promise<void> {
  const world = await World.open({ seed: 'maintenance', nodes: NODES, link: { latencyMs: 1 } })
  const bytes = new SeededRandomness('file').bytes(DATA_MIB * MIB)
  const { grid } = world.client
  const { capability } = await world.run(
    async () => await grid.put(sourceOf(bytes), { code: CODE }),
  )
  assert(capability.kind === 'file-read', 'the file is no literal')
  const stop = new AbortController()
  const events: CareEvent[] = []
  const root = { name: 'file', capability: toVerify(capability), isOwn: true }
  const carer = grid.openCarer({
    memory: new VolatileCareMemory(),
    roots: async () => await Promise.resolve([root]),
    onEvent: (event) => events.push(event),
  })
  const running = carer.run(stop.signal).catch(() => undefined)
  const start = world.network.traffic.snapshot()
  await world.clock.advance(30 * DAY_MS)
  const month = world.network.traffic.since(start)
  const of = (op: Parameters<typeof month.replyBytes>[0]): number =>
    month.requestBytes(op) + month.replyBytes(op)
  const leaves = events.reduce((sum, event) => sum + (event.kind === 'audited' ? event.good : 0), 0)
  const drilled = events.reduce(
    (sum, event) => sum + (event.kind === 'drilled' ? event.bytes : 0),
    0,
  )
  const perGiB = 1024 / DATA_MIB
  console.log(`${DATA_MIB} MiB as ${CODE.required}-of-${CODE.total} on ${NODES} nodes, 30 days:`)
  line('audits', of('audit'), `${leaves} leaves, ${kib(of('audit') / leaves)} each`)
  line('probes', of('hello'))
  const visits = of('have') + of('lease') + of('get') - drilled
  line('visits', visits, `${mib(visits * perGiB)} a GiB`)
  line('drills', drilled)
  const lost = world.nodes[0]
  assert(lost !== undefined, 'there is a node')
  const before = world.network.traffic.snapshot()
  const shares = await loseDrive()
  await world.clock.advance(15 * DAY_MS)
  const spent = world.network.traffic.since(before)
  const placed = events.reduce(
    (sum, event) => sum + (event.kind === 'visited' ? event.sharesPlaced : 0),
    0,
  )
  console.log(`\nOne drive lost with ${shares} shares; ${placed} made anew:`)
  line('fetched', spent.replyBytes('get'), `of which visits and drills ${mib(visits / 2)} or so`)
  line(
    'sent',
    spent.requestBytes('put'),
    `${(spent.requestBytes('put') / placed / (MIB / CODE.required)).toFixed(2)} shards a share`,
  )
  stop.abort(new Error('enough'))
  await world.run(async () => await running)

  async function loseDrive(): Promise<number> {
    const held = DATA_MIB
    await world.run(async () => {
      await lost?.empty()
    })
    return held
  }
}

function line(what: string, bytes: number, more = ''): void {
  console.log(`${what.padEnd(10)} ${mib(bytes).padStart(12)}  ${more}`)
}

function mib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`
}

await main()
