import process from 'node:process'
import { assert } from '../../src/foundation/error.ts'
import { systemClock, systemRandomness } from '../../src/foundation/system.ts'
import { homeFiles } from '../../src/home/layout.ts'
import { openHome } from '../../src/home/opened-home.ts'
import { readOwnGrid } from '../../src/home/own-grid.ts'
import { nodeOfAddress } from '../../src/network/identity.ts'
import { MembershipKeeper } from '../../src/network/membership/keeper.ts'
import { openNetwork, type GridNetwork } from '../../src/network/open.ts'
import { Membership } from '../../src/protocol/membership/membership.ts'
import type { NodeKey } from '../../src/protocol/node-key.ts'

/**
 * How long it takes until a member answers whose address is not known, as a program of its own: `find-member HOME`
 * prints for each node but one, the way in, three times in seconds. Each search is a new host that knows who belongs to
 * the grid and the address of one node.
 */
export interface Found {
  /** The address is known: a dial and a question. */
  readonly knownS: number
  /** The DHT is asked for it. */
  readonly dhtS: number
  /** The way in is asked for all statements about members, and the address is among them. */
  readonly statementsS: number
}

const [home = ''] = process.argv.slice(2)
console.log(JSON.stringify(await findAll(home)))

async function findAll(home: string): Promise<Found[]> {
  const { files, secrets } = openHome(homeFiles(home), noPassphrase)
  const own = await readOwnGrid(files, systemClock)
  const { identity } = await secrets()
  assert(own !== undefined && identity !== undefined, 'the home belongs to a grid')
  const { file, membership } = own
  const [wayIn = ''] = file.bootstrap
  const usual = {
    identity,
    gridId: membership.gridId,
    members: membership,
    listen: [],
    bootstrap: [wayIn],
    clock: systemClock,
  }
  const silent = (): Membership => {
    const fresh = new Membership({ gridId: membership.gridId, clock: systemClock })
    const others = membership.all().filter(({ kind }) => kind !== 'announcement')
    fresh.add(others.map(({ bytes }) => bytes))
    return fresh
  }
  const found: Found[] = []
  const sought = membership.nodes.filter(({ key }) => key !== nodeOfAddress(wayIn))
  for (const { key } of sought) {
    let addresses: readonly string[] = []
    const byDht = async (): Promise<number> => {
      await using network = await openNetwork(usual)
      const seconds = await secondsOf(network, key)
      addresses = network.knownAddresses().get(key) ?? []
      return seconds
    }
    const byStatements = async (): Promise<number> => {
      const members = silent()
      const keeper = new MembershipKeeper(members, async () => await Promise.resolve())
      const exchanging = { keeper, randomness: systemRandomness }
      await using network = await openNetwork({ ...usual, members, membership: exchanging })
      return await secondsOf(network, key, async () => {
        await network.catchUp()
        assert(network.knownAddresses().has(key), 'the statements say where it is')
      })
    }
    const known = async (): Promise<number> => {
      const knownAddresses = new Map([[key, addresses]])
      await using network = await openNetwork({ ...usual, bootstrap: [], knownAddresses })
      return await secondsOf(network, key)
    }
    const [dhtS, statementsS] = [await byDht(), await byStatements()]
    found.push({ dhtS, statementsS, knownS: await known() })
  }
  return found
}

async function secondsOf(
  network: GridNetwork,
  node: NodeKey,
  before: () => Promise<void> = async () => await Promise.resolve(),
): Promise<number> {
  const startMs = systemClock.monotonicMs()
  await before()
  await network.call<'hello'>(node, { op: 'hello' })
  return (systemClock.monotonicMs() - startMs) / 1000
}

async function noPassphrase(): Promise<never> {
  return await Promise.reject(new Error('these homes have no passphrase'))
}
