import { accountKeyOf } from '../../capabilities/account.ts'
import { toHex } from '../../foundation/bytes.ts'
import { assert } from '../../foundation/error.ts'
import type { Randomness } from '../../foundation/randomness.ts'
import { nodeKeyOfIdentity, peerIdText } from '../../network/identity.ts'
import { makePrivateDirectory } from '../../home/files.ts'
import { readGridFile, writeGridFile, type GridFile, type Member } from '../../home/grid-file.ts'
import { ensureSecrets } from '../../home/key-store.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { DEFAULT_RESERVE_BYTES, readNodeFile, writeNodeFile } from '../../home/node-file.ts'
import { readRunning } from '../../home/running-file.ts'
import { askPassphrase } from '../passphrase.ts'
import { choosePorts, listenAddress, portOf } from './ports.ts'
import { writePractice, type Practice } from './practice-file.ts'

/** What a practice node offers. Not reserved: a node also looks at how much its disk still has. */
const NODE_CAPACITY_BYTES = 64 * 1024 ** 3

/**
 * Writes whatever the homes of a practice grid lack, so that it can be started: keys and members the first time, other
 * ports where something else has taken the old ones. What is there stays, keys and grid id above all.
 */
export async function preparePractice(
  dir: string,
  { names, randomness }: { names: readonly string[]; randomness: Randomness },
): Promise<Practice> {
  await makePrivateDirectory(dir)
  const practice = await writePractice(dir, names)
  const ports = await portsFor(practice)
  const client = await memberAt(practice.client, randomness, {
    name: 'me',
    role: 'client',
    capacityBytes: 0,
  })
  const nodes = await Promise.all(
    practice.nodes.map(
      async ({ name, files }) =>
        await memberAt(files, randomness, {
          name,
          role: 'storage',
          capacityBytes: NODE_CAPACITY_BYTES,
        }),
    ),
  )
  const [firstNode] = nodes
  const [firstPort] = ports
  assert(firstNode !== undefined && firstPort !== undefined, 'a practice grid has a node')
  const grid: GridFile = {
    gridId: (await knownGridId(practice)) ?? toHex(randomness.bytes(32)),
    // One address is enough: from there, members find each other.
    bootstrap: [`${listenAddress(firstPort)}/p2p/${peerIdText(firstNode.key)}`],
    members: [...nodes, client],
  }
  await Promise.all([
    ...[practice.client, ...practice.nodes.map(({ files }) => files)].map(
      async (files) => await writeGridFile(files.grid, grid),
    ),
    ...practice.nodes.map(async ({ files }, at) => await writePort(files, ports[at] ?? 0)),
  ])
  return practice
}

/** Gives a node that could not have its port another one. */
export async function changePort(files: HomeFiles): Promise<void> {
  const [port] = await choosePorts([portOf((await readNodeFile(files.node))?.listen[0])])
  await writePort(files, port ?? 0)
}

/** Nodes know it too, so that a client whose home was lost comes back to the same grid. */
async function knownGridId(practice: Practice): Promise<string | undefined> {
  for (const { grid } of [practice.client, ...practice.nodes.map(({ files }) => files)]) {
    const known = await readGridFile(grid)
    if (known !== undefined) return known.gridId
  }
  return undefined
}

/** The ports of nodes that run, and for the others ones that are free. */
async function portsFor(practice: Practice): Promise<number[]> {
  const states = await Promise.all(
    practice.nodes.map(async ({ files }) => {
      const isRunning = (await readRunning(files.running)) !== undefined
      return { isRunning, port: portOf((await readNodeFile(files.node))?.listen[0]) }
    }),
  )
  const chosen = await choosePorts(
    states.map(({ isRunning, port }) => (isRunning ? undefined : port)),
  )
  return states.map(({ isRunning, port }, at) => (isRunning && port ? port : (chosen[at] ?? 0)))
}

async function memberAt(
  files: HomeFiles,
  randomness: Randomness,
  about: Pick<Member, 'name' | 'role' | 'capacityBytes'>,
): Promise<Member> {
  await makePrivateDirectory(files.home)
  const { identity, account } = await ensureSecrets(files, { ask: askPassphrase, randomness })
  return {
    ...about,
    key: nodeKeyOfIdentity(identity),
    account: toHex(accountKeyOf(account)),
    // Each a household of its own, as friends' nodes are.
    zone: about.name,
  }
}

async function writePort(files: HomeFiles, port: number): Promise<void> {
  const listen = [listenAddress(port)]
  const before = await readNodeFile(files.node)
  if (before?.listen[0] === listen[0]) return
  await writeNodeFile(files.node, {
    capacityBytes: NODE_CAPACITY_BYTES,
    accountQuotaBytes: NODE_CAPACITY_BYTES,
    reserveBytes: DEFAULT_RESERVE_BYTES,
    ...before,
    listen,
  })
}
