import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { mapConcurrently } from '../../src/foundation/concurrency.ts'
import { eventually, NatGrid } from './nat-grid.ts'
import { NAT_TYPES, type NatType } from './nat-rules.ts'
import { Testbed } from './testbed.ts'

const obstacle = await Testbed.obstacle()
/** Two cores: more at once would only wait for each other, and simultaneous opens would not be simultaneous. */
const AT_ONCE = 2
const FILE_BYTES = 1_500_000
/** Far beyond what a test takes by itself: other work may have most of the machine. */
const LIMIT_MS = 6 * 60_000

/** Clients live in one house of each kind, nodes in another of the same: each client meets a router of each kind. */
const clientAt = (nat: NatType): string => `${nat}-1`
const nodeAt = (nat: NatType): string => `${nat}-2`
const NODES = NAT_TYPES.map(nodeAt)

/** What routers let through, whoever begins: see docs/architecture.md. */
function bestPaths(one: NatType, other: NatType): readonly string[] {
  const pair = new Set([one, other])
  if (pair.has('none')) return ['direct']
  if (!pair.has('symmetric')) return ['punched', 'webrtc']
  return pair.has('cone') || pair.has('address-restricted') ? ['webrtc'] : ['relayed']
}

if (obstacle === undefined) describe('a grid whose members stand behind routers', testGrid)
else {
  it('is not tried on this machine', () => {
    process.stdout.write(`Paths through routers are not tested here: ${obstacle}.\n`)
    expect(obstacle).not.toBe('')
  })
}

function testGrid(): void {
  let grid: NatGrid

  /** Each of the five nodes gets a share, and each must give it back. */
  async function storeAndFetch(client: string): Promise<void> {
    const content = randomBytes(FILE_BYTES)
    const [from, to] = [join(grid.dir, `${client}.in`), join(grid.dir, `${client}.out`)]
    await writeFile(from, content)
    const put = await grid.run(client, ['put', '--json', '--shares', '1/5', from])
    const [stored] = JSON.parse(put) as { capability: string; health: string }[]
    expect(stored?.health).toBe('healthy')
    const capability = join(grid.dir, `${client}.capability`)
    await writeFile(capability, stored?.capability ?? '')
    const checked = await grid.run(client, [
      'check',
      '--json',
      '--verify',
      'full',
      `@${capability}`,
    ])
    const { healthy, blocks } = JSON.parse(checked) as {
      healthy: boolean
      blocks: { sharesGood: number }[]
    }
    expect(healthy).toBe(true)
    for (const { sharesGood } of blocks) expect(sharesGood).toBe(NODES.length)
    await grid.run(client, ['get', `@${capability}`, '-o', to, '--overwrite'])
    expect((await readFile(to)).equals(content)).toBe(true)
  }

  beforeAll(async () => {
    grid = await NatGrid.build({
      publicHosts: { hub: 10, second: 11 },
      houses: NAT_TYPES.flatMap((nat) => [
        { name: clientAt(nat), nat },
        { name: nodeAt(nat), nat },
      ]),
      homes: [
        { name: 'hub', role: 'relay' },
        { name: 'second', role: 'relay' },
        ...NODES.map((name) => ({ name, role: 'storage' as const })),
        ...NAT_TYPES.map((nat) => ({ name: clientAt(nat), role: 'client' as const })),
      ],
    })
    await mapConcurrently(['hub', 'second', ...NODES], AT_ONCE, (name) => grid.startNode(name))
  }, LIMIT_MS)
  afterAll(async () => {
    await grid[Symbol.asyncDispose]()
  })

  it(
    'stores and fetches a file between every pair of routers',
    async () => {
      await mapConcurrently(NAT_TYPES, AT_ONCE, async (nat) => {
        // Nodes that have just started need a moment to find their relays.
        await eventually(() => storeAndFetch(clientAt(nat)))
      })
    },
    LIMIT_MS,
  )

  it(
    'has the best path there can be between clients and nodes, and knows its routers',
    async () => {
      await mapConcurrently(NAT_TYPES, AT_ONCE, async (own) => {
        await eventually(async () => {
          const { router, members } = await grid.doctor(clientAt(own))
          expect(router).toBe(own)
          for (const other of NAT_TYPES) {
            const member = members.find(({ name }) => name === nodeAt(other))
            // A client does not listen, so nobody dials it back, whatever it stands behind.
            const best = own === 'none' ? ['direct', 'punched', 'webrtc'] : bestPaths(own, other)
            expect(best, `${own} to ${other}`).toContain(member?.path)
          }
        })
      })
    },
    LIMIT_MS,
  )

  it(
    'keeps no relayed connection between nodes that have a better one',
    async () => {
      await mapConcurrently(NAT_TYPES, AT_ONCE, async (own) => {
        await eventually(async () => {
          const { members, reachable } = await grid.doctor(nodeAt(own))
          expect(reachable).toBe(own === 'none')
          for (const other of NAT_TYPES.filter((nat) => nat !== own)) {
            const member = members.find(({ name }) => name === nodeAt(other))
            expect(bestPaths(own, other), `${own} to ${other}`).toContain(member?.path)
            if (member?.path !== 'relayed') expect(member?.open).not.toContain('relayed')
          }
        })
      })
    },
    LIMIT_MS,
  )

  it(
    'says that it needs a relay when all are gone, and has its places again when they come back',
    async () => {
      const node = nodeAt('symmetric')
      const reachable = ['hub', 'second', nodeAt('none')]
      for (const name of reachable) await grid.killNode(name)
      await eventually(async () => {
        const { relays, findings } = await grid.doctor(node)
        expect(relays).toEqual([])
        expect(findings).toContainEqual(
          expect.objectContaining({ about: 'relays', verdict: 'problem' }),
        )
      })
      await grid.startNode('hub')
      await eventually(async () => {
        const { relays } = await grid.doctor(node)
        expect(relays).toEqual(['hub'])
      })
      await grid.startNode(nodeAt('none'))
      await eventually(() => storeAndFetch(clientAt('symmetric')))
      await eventually(async () => {
        const { relays } = await grid.doctor(node)
        expect(relays).toHaveLength(2)
      })
      await grid.startNode('second')
    },
    LIMIT_MS,
  )

  it(
    'finds a node again whose router restarted, and one whose address changed',
    async () => {
      await grid.bed.rebootRouter(nodeAt('symmetric'))
      await grid.bed.changeAddress(nodeAt('port-restricted'), '5.5.77.1')
      await eventually(() => storeAndFetch(clientAt('cone')))
      await eventually(async () => {
        const { seenHosts } = await grid.doctor(nodeAt('port-restricted'))
        expect(seenHosts).toEqual(['5.5.77.1'])
      })
    },
    LIMIT_MS,
  )

  it(
    'is reached directly while its router forwards, and by other ways when it stops',
    async () => {
      const node = nodeAt('symmetric')
      const pathTo = async (): Promise<string | undefined> => {
        const { members } = await grid.doctor(clientAt('symmetric'))
        return members.find(({ name }) => name === node)?.path
      }
      await grid.bed.setUpnp(node, true)
      await grid.killNode(node)
      await grid.startNode(node)
      await eventually(async () => {
        const { reachable, portMapping } = await grid.doctor(node)
        expect({ reachable, portMapping }).toEqual({ reachable: true, portMapping: 'mapped' })
        expect(await pathTo()).toBe('direct')
      })
      await grid.bed.setUpnp(node, false)
      await eventually(async () => {
        const { reachable, findings } = await grid.doctor(node)
        expect(reachable).toBe(false)
        const advice = findings.find(({ about }) => about === 'reachable')?.advice
        expect(advice).toMatch(/^Switch UPnP on in the router, or forward TCP port 4001/)
        expect(await pathTo()).toBe('relayed')
      })
    },
    LIMIT_MS,
  )
}
