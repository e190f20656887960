import { assert } from '../../foundation/error.ts'
import type { Clock } from '../../foundation/clock.ts'
import type { Randomness } from '../../foundation/randomness.ts'
import { nodeKeyOfIdentity, peerIdText } from '../../network/identity.ts'
import { makePrivateDirectory } from '../../home/files.ts'
import { ensureSecrets, type HomeSecrets } from '../../home/key-store.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { DEFAULT_RESERVE_BYTES, readNodeFile, writeNodeFile } from '../../home/node-file.ts'
import { readRunning } from '../../home/running-file.ts'
import { askPassphrase } from '../passphrase.ts'
import { enrol, NODE_CAPACITY_BYTES } from './enrol.ts'
import { choosePorts, listenAddress, portOf } from './ports.ts'
import { writePractice, type Practice } from './practice-file.ts'

/**
 * Writes whatever the homes of a practice grid lack, so that it can be started: keys and members the first time, other
 * ports where something else has taken the old ones. What is there stays, keys and grid id above all.
 */
export async function preparePractice(
  dir: string,
  { names, ...system }: { names: readonly string[]; randomness: Randomness; clock: Clock },
): Promise<Practice> {
  await makePrivateDirectory(dir)
  const practice = await writePractice(dir, names)
  const ports = await portsFor(practice)
  const { randomness } = system
  const client = await secretsAt(practice.client, randomness)
  const nodes = await Promise.all(
    practice.nodes.map(async ({ name, files }, at) => {
      const secrets = await secretsAt(files, randomness)
      await writePort(files, ports[at] ?? 0)
      return { name, files, secrets, address: listenAddress(ports[at] ?? 0) }
    }),
  )
  const [first] = nodes
  assert(first !== undefined, 'a practice grid has a node')
  // One address is enough: from there, members find each other.
  const bootstrap = [
    `${first.address}/p2p/${peerIdText(nodeKeyOfIdentity(first.secrets.identity))}`,
  ]
  await enrol({ client: { files: practice.client, secrets: client }, nodes, bootstrap }, system)
  return practice
}

/** Gives a node that could not have its port another one. */
export async function changePort(files: HomeFiles): Promise<void> {
  const [port] = await choosePorts([portOf((await readNodeFile(files.node))?.listen[0])])
  await writePort(files, port ?? 0)
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

async function secretsAt(files: HomeFiles, randomness: Randomness): Promise<HomeSecrets> {
  await makePrivateDirectory(files.home)
  return await ensureSecrets(files, { ask: askPassphrase, randomness })
}

async function writePort(files: HomeFiles, port: number): Promise<void> {
  const listen = [listenAddress(port)]
  const before = await readNodeFile(files.node)
  if (before?.listen[0] === listen[0]) return
  await writeNodeFile(files.node, {
    capacityBytes: NODE_CAPACITY_BYTES,
    accountQuotaBytes: NODE_CAPACITY_BYTES,
    reserveBytes: DEFAULT_RESERVE_BYTES,
    // Nobody keeps anything with the accounts of practice nodes.
    maintain: false,
    ...before,
    listen,
  })
}
