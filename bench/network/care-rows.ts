import { toVerify } from '../../src/capabilities/capability.ts'
import { erasureCode } from '../../src/erasure/code.ts'
import { assert } from '../../src/foundation/error.ts'
import { VolatileCareMemory } from '../../src/grid/care/memory.ts'
import type { CareEvent } from '../../src/grid/care/events.ts'
import { sourceOf } from '../../simulations/bytes.ts'
import { SeededRandomness } from '../../simulations/randomness.ts'
import { World } from '../../simulations/world.ts'
import { networkRow, type NetworkRow } from './row.ts'

const CODE = erasureCode(3, 10)
const NODES = 10
const MIB = 2 ** 20
const WEEK_MS = 7 * 24 * 3_600_000
const WEEKS_A_MONTH = 365.25 / 12 / 7

/**
 * What looking after files costs, in bytes of whole messages between real nodes and a real carer in virtual time; the
 * same everywhere and on any line.
 */
export async function careRows(
  names: { readonly audit: string; readonly repair: string; readonly month: string },
  { fileMib }: { readonly fileMib: number },
): Promise<NetworkRow[]> {
  const world = await World.open({ seed: 'care', nodes: NODES, link: { latencyMs: 1 } })
  const { grid } = world.client
  const { traffic } = world.network
  const bytes = new SeededRandomness('file').bytes(fileMib * MIB)
  const { capability, sizeBytes } = await world.run(
    async () => await grid.put(sourceOf(bytes), { code: CODE }),
  )
  assert(capability.kind === 'file-read', 'the file is no literal')

  const stop = new AbortController()
  const events: CareEvent[] = []
  const carer = grid.openCarer({
    memory: new VolatileCareMemory(),
    roots: async () =>
      await Promise.resolve([{ name: 'file', capability: toVerify(capability), isOwn: true }]),
    onEvent: (event) => events.push(event),
  })
  const start = traffic.snapshot()
  const running = carer.run(stop.signal).catch(() => undefined)
  await world.clock.advance(WEEKS_MEASURED * WEEK_MS)
  const spent = traffic.since(start)
  stop.abort(new Error('enough'))
  await world.run(async () => await running)

  const audits = spent.requestBytes('audit') + spent.replyBytes('audit')
  const drilled = sum(events, (event) => (event.kind === 'drilled' ? event.bytes : 0))
  const leaves = sum(events, (event) => (event.kind === 'audited' ? event.good : 0))
  const all = spent.requestBytes() + spent.replyBytes() - drilled
  const months = WEEKS_MEASURED / WEEKS_A_MONTH
  const perMonth = (part: number): string => `${(part / 1e6 / months).toFixed(0)} MB`
  await world.run(async () => {
    await world.nodes[0]?.empty()
  })
  // What there is to repair is found out of the file's index, which a repair reads too, whether anything is missing or not.
  const beforeCheck = traffic.snapshot()
  await world.run(async () => await grid.check(capability))
  const found = traffic.since(beforeCheck).replyBytes('get')
  const beforeRepair = traffic.snapshot()
  const { sharesPlaced } = await world.run(async () => await grid.repair(capability))
  const repaired = traffic.since(beforeRepair)
  const sent = repaired.requestBytes('put')
  const read = (repaired.replyBytes('get') - found) / sent
  return [
    networkRow(
      {
        name: names.audit,
        value: audits / leaves / 1024,
        unit: 'KiB',
        detail: `mean of ${leaves} audits, requests and replies, with what visits read of blocks in the same way`,
      },
      { text: '≤ 64 KiB', atMost: 64 },
    ),
    networkRow(
      {
        name: names.repair,
        value: read,
        unit: 'shares',
        detail:
          `${sharesPlaced} shares made anew, bytes read for each byte sent; ` +
          `to find out which are missing, ${(found / sent).toFixed(2)} beside`,
      },
      // Head of a message aside, which differs by a few bytes between reading and sending.
      { text: `≤ ${CODE.required} shares`, atMost: CODE.required * 1.01 },
    ),
    networkRow({
      name: names.month,
      value: all / months / (sizeBytes / 1e9) / 1e6,
      unit: 'MB',
      detail:
        `${(sizeBytes / 1e6).toFixed(0)} MB kept cost ${perMonth(all)} a month, audits ${perMonth(audits)} of it; ` +
        `audits stop growing at 300 shares a node`,
    }),
  ]
}

const WEEKS_MEASURED = 2

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0)
}
