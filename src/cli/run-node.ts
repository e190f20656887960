import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { messageOf } from '../foundation/error.ts'
import { systemClock, systemRandomness } from '../foundation/system.ts'
import { peerIdText } from '../network/identity.ts'
import { openNetwork, type GridNetwork } from '../network/open.ts'
import type { StandingOptions } from '../network/paths/standing.ts'
import { describingFailures } from '../foundation/system-failure.ts'
import { announcementOf } from '../protocol/membership/announce.ts'
import type { Disk } from '../storage-node/disk.ts'
import { openStorageNode } from '../storage-node/storage-node.ts'
import { openSystemDisk } from '../storage-node/system-disk.ts'
import { keepToBandwidth } from '../library/bandwidth.ts'
import { keepAddresses, noGrid, type SharedNetwork } from '../library/client.ts'
import { networkMembership, requireMembership } from '../library/live-membership.ts'
import { EXIT } from './exit-codes.ts'
import { CliError } from './failures.ts'
import { readAddressFile } from '../home/address-file.ts'
import { readSecrets } from '../home/key-store.ts'
import { readSecret } from '../home/secrets.ts'
import type { HomeFiles } from '../home/layout.ts'
import { writeMembership } from '../home/membership-file.ts'
import type { NodeFile } from '../home/node-file.ts'
import { readOwnGrid, type OwnGrid } from '../home/own-grid.ts'
import { processBirth } from '../home/processes.ts'
import { removeRunning, writeRunning } from '../home/running-file.ts'
import { Drainer } from './node/drainer.ts'
import { describeEvent, describeSettings } from './node/log-text.ts'
import { followMembers } from './node/members.ts'
import { accountForCare, startNodeCare, type NodeCareState } from './node/care.ts'
import { operatorOf } from './node/operator.ts'
import { OperatorServer, type OperatorHandler } from './node/operator-server.ts'
import { callerWithSelf } from './node/own-caller.ts'
import { isPortTaken, withKeptPorts } from './node/kept-ports.ts'
import { localOnlyAdvice } from './node/local-only.ts'
import { otherNodes } from './node/other-nodes.ts'
import { tenantsOf } from './node/quotas.ts'
import { NodeSettings, settingsDigest } from './node/settings.ts'
import type { NodeLog } from './node-log.ts'
import { askPassphrase } from './passphrase.ts'

export interface NodeHome {
  readonly identity: Uint8Array
  readonly grid: OwnGrid
  readonly settings: NodeSettings
}

const SYSTEM = { clock: systemClock, randomness: systemRandomness }

/** How often a node looks whether it is reached elsewhere by now: another network, another port of its router. */
const TELL_INTERVAL_MS = 10_000
/** How often the addresses of other members are put on disk. */
const KEEP_ADDRESSES_INTERVAL_MS = 10 * 60 * 1000

/** Runs a home's storage node until the signal fires, then ends in good order: nothing acknowledged is lost. */
export async function runNode(
  files: HomeFiles,
  { log, signal }: { readonly log: NodeLog; readonly signal: AbortSignal },
): Promise<void> {
  try {
    const home = await readNodeHome(files)
    const care = await accountForCare(files, home.settings)
    await serveNode({ ...home, careState: care.state }, { files, log, signal }, async (node) => {
      const secrets = { identity: home.identity, account: care.account }
      await using _care = startNodeCare({ files, secrets, shared: node.shared, log })
      await untilEnd(signal, node.removed)
    })
  } catch (thrown) {
    if (!signal.aborted) throw thrown
  }
}

/** A storage node at work, for whoever runs more in the same process. */
export interface NodeAtWork {
  /** Its host, and calls through it that reach the node itself, too. */
  readonly shared: SharedNetwork
  readonly settings: NodeSettings
  /** Carries out what its operator orders. */
  readonly orders: OperatorHandler
  /** Rejects once the node belongs to the grid no more. */
  readonly removed: Promise<never>
}

/** Serves while `work` lasts. */
export async function serveNode(
  { identity, careState, grid, settings: opened }: NodeHome & { readonly careState: NodeCareState },
  { files, log, signal }: { files: HomeFiles; log: NodeLog; signal: AbortSignal },
  work: (node: NodeAtWork) => Promise<void>,
): Promise<void> {
  using settings = opened
  const node = settings.current
  // The disk's lock comes first: a second process on the same home ends here, before it answers anyone.
  await using storage = await openStorageNode({
    disk: await openStore(files),
    ...SYSTEM,
    capacityBytes: node.capacityBytes,
    ...tenantsOf(grid.membership, settings),
    report: (event) => {
      log.write(event.kind, describeEvent(event))
    },
  })
  storage.configure(node)
  await using network = await listen({ identity, grid, node }, { files, signal })
  await requireMembership(network, grid)
  network.serve(storage)
  using members = followMembers(files, grid, { self: network.self, log })
  storage.startMaintenance()
  const startedMs = systemClock.nowMs()
  const { membership } = grid
  const { self } = network
  const order = otherNodes(membership, self)
  await using drainer = new Drainer({ storage, caller: network, order, ...SYSTEM, log })
  const running = { storage, network, self, membership, settings, drainer, startedMs, careState }
  const orders = operatorOf(running)
  await using operator = await OperatorServer.open(orders, SYSTEM)
  const announce = await announcer({ files, network, operator })
  using _limits = await keepToBandwidth(files.bandwidth, {
    clock: systemClock,
    limit: (limits) => {
      network.limit(limits)
    },
    onChange: announce,
    onFlaw: (why) => {
      log.write('settings-unusable', why)
    },
  })
  await announce()
  await tellGrid(node, { files, grid, identity, network })
  await drainer.follow(node)
  settings.watch({
    onChange: async (changed) => {
      storage.configure(changed)
      await drainer.follow(changed)
      await tellGrid(changed, { files, grid, identity, network })
      await announce()
      log.write('settings', describeSettings(changed))
    },
    onFlaw: (why) => {
      log.write('settings-unusable', why)
    },
  })
  log.write('started', `pid ${process.pid} ${network.addresses().join(' ')}`)
  // Where it is a person's; nodes of a practice grid are meant for this computer alone.
  const advice = existsSync(files.nodeKey) ? localOnlyAdvice(node) : undefined
  if (advice !== undefined) log.write('local-only', advice)
  const stopTelling = tellRegularly({ settings, files, grid, identity, network })
  const shared = { network, own: grid, caller: callerWithSelf(network, storage) }
  try {
    await work({ shared, settings, orders, removed: members.removed })
  } catch (thrown) {
    log.write('stopping', messageOf(thrown))
    throw thrown
  } finally {
    stopTelling()
    await keepAddresses(files, network)
    await removeRunning(files.running)
  }
  log.write('stopping')
}

/** Says in the home where the node is and by which settings it goes. */
async function announcer({
  files,
  network,
  operator,
}: {
  readonly files: HomeFiles
  readonly network: GridNetwork
  readonly operator: OperatorServer
}): Promise<() => Promise<void>> {
  const birth = (await processBirth(process.pid)) ?? ''
  return async () => {
    await writeRunning(files.running, {
      pid: process.pid,
      birth,
      peerId: peerIdText(network.self),
      addresses: network.addresses(),
      operator: { port: operator.port, key: operator.key },
      settings: await settingsDigest(files),
    })
  }
}

/** Puts on disk where others are, and tells the grid where this node is. @returns what ends it */
function tellRegularly({
  settings,
  files,
  grid,
  identity,
  network,
}: NodeHome & {
  readonly files: HomeFiles
  readonly network: GridNetwork
}): () => void {
  const stopKeeping = every(KEEP_ADDRESSES_INTERVAL_MS, async () => {
    await keepAddresses(files, network)
  })
  const stopTelling = every(TELL_INTERVAL_MS, async () => {
    // A disk that is full is told of by what it matters to.
    await tellGrid(settings.current, { files, grid, identity, network }).catch(() => undefined)
  })
  return () => {
    stopKeeping()
    stopTelling()
  }
}

/** @throws NotAMemberError once the node belongs to the grid no more */
async function untilEnd(signal: AbortSignal, removed: Promise<never>): Promise<void> {
  if (!signal.aborted) await Promise.race([once(signal, 'abort'), removed])
}

/** Says to the grid where this node is and what it offers, if that has changed. */
async function tellGrid(
  { capacityBytes, draining, zone }: NodeFile,
  {
    files,
    grid: { membership },
    identity,
    network,
  }: Pick<NodeHome, 'identity' | 'grid'> & { files: HomeFiles; network: GridNetwork },
): Promise<void> {
  const name = membership.deviceName(network.self)
  const said = {
    addresses: network.addresses(),
    zone: zone ?? membership.announcementOf(network.self)?.zone ?? name ?? 'home',
    capacityBytes: draining === true ? 0 : capacityBytes,
  }
  const statement = announcementOf(membership, said, { identity, clock: systemClock })
  if (statement === undefined) return
  membership.add([statement])
  await writeMembership(files.membership, membership, systemClock)
}

/** @throws HomeError, CliError where there is no grid or no node */
export async function readNodeHome(files: HomeFiles): Promise<NodeHome> {
  // A node has a key of its own where its home is a person's too, so that it starts without their passphrase.
  const ownKey = await readSecret(files.nodeKey)
  const identity = ownKey ?? (await readSecrets(files, askPassphrase)).identity
  const grid = await readOwnGrid(files, systemClock)
  const settings = await NodeSettings.open(files.node, systemClock)
  if (identity !== undefined && grid !== undefined && settings !== undefined) {
    return { identity, grid, settings }
  }
  if (grid === undefined) throw noGrid(files)
  throw new CliError({
    exit: EXIT.config,
    code: 'no-node',
    message: `${files.home} has no storage node. "hayloft node config --offer 100GB" makes one.`,
  })
}

/** A disk that is full or read-only is told as what it is. */
async function openStore({ store }: HomeFiles): Promise<Disk> {
  return await describingFailures(
    `The store of this node, ${store},`,
    async () => await openSystemDisk(store),
  )
}

async function listen(
  { identity, grid, node }: Pick<NodeHome, 'identity' | 'grid'> & { readonly node: NodeFile },
  { files, signal }: { files: HomeFiles; signal: AbortSignal },
): Promise<GridNetwork> {
  const open = async (addresses: readonly string[]): Promise<GridNetwork> =>
    await openNetwork({
      ...networkMembership(grid, files),
      identity,
      listen: addresses,
      standing: standingOf(node),
      knownAddresses: await readAddressFile(files.addresses),
      clock: systemClock,
      signal,
    })
  const kept = await withKeptPorts(files, node.listen)
  try {
    return await open(kept).catch(async (thrown: unknown) => {
      // Somebody was quicker, which matters only where the settings name the port.
      if (signal.aborted || !isPortTaken(thrown)) throw thrown
      return await open(node.listen)
    })
  } catch (cause) {
    if (signal.aborted) throw cause
    throw new CliError(
      {
        exit: EXIT.io,
        code: 'cannot-listen',
        message:
          `The node cannot listen at ${node.listen.join(', ')}: ${messageOf(cause)}. If another program uses ` +
          `that port, name another one in ${files.node}.`,
      },
      { cause },
    )
  }
}

/** What the operator said of how the node is reached. */
function standingOf({ reachable, portMapping, announce }: NodeFile): Partial<StandingOptions> {
  return {
    ...(reachable !== undefined && { reachable }),
    ...(portMapping !== undefined && { portMapping }),
    ...(announce !== undefined && { announce }),
  }
}

/** Does it again and again until what it returns is called. @param work never rejects */
function every(intervalMs: number, work: () => Promise<void>): () => void {
  let isStopped = false
  let cancel = (): void => undefined
  const schedule = (): void => {
    if (!isStopped) cancel = systemClock.after(intervalMs, () => void work().then(schedule))
  }
  schedule()
  return () => {
    isStopped = true
    cancel()
  }
}
