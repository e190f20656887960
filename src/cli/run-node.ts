import { once } from 'node:events'
import { toHex } from '../foundation/bytes.ts'
import { messageOf } from '../foundation/error.ts'
import { systemClock, systemRandomness } from '../foundation/system.ts'
import { peerIdText } from '../network/identity.ts'
import { openNetwork, type GridNetwork } from '../network/open.ts'
import type { StandingOptions } from '../network/paths/standing.ts'
import { describingFailures } from '../foundation/system-failure.ts'
import { announcementOf } from '../protocol/membership/announce.ts'
import type { Disk } from '../storage-node/disk.ts'
import type { StorageEvent } from '../storage-node/events.ts'
import { openStorageNode } from '../storage-node/storage-node.ts'
import { openSystemDisk } from '../storage-node/system-disk.ts'
import { keepAddresses } from '../library/client.ts'
import { networkMembership, requireMembership } from '../library/live-membership.ts'
import { EXIT } from './exit-codes.ts'
import { CliError } from './failures.ts'
import { readAddressFile } from '../home/address-file.ts'
import { readSecrets } from '../home/key-store.ts'
import { readSecret } from '../home/secrets.ts'
import { NotAMemberError } from '../home/errors.ts'
import type { HomeFiles } from '../home/layout.ts'
import { writeMembership } from '../home/membership-file.ts'
import type { NodeFile } from '../home/node-file.ts'
import { readOwnGrid, type OwnGrid } from '../home/own-grid.ts'
import { processBirth } from '../home/processes.ts'
import { removeRunning, writeRunning } from '../home/running-file.ts'
import { Drainer } from './node/drainer.ts'
import { followMembers, type FollowedMembers } from './node/members.ts'
import { accountForCare, startNodeCare } from './node/care.ts'
import { operatorOf } from './node/operator.ts'
import { OperatorServer } from './node/operator-server.ts'
import { otherNodes } from './node/other-nodes.ts'
import { tenantsOf } from './node/quotas.ts'
import { NodeSettings, settingsDigest } from './node/settings.ts'
import type { NodeLog } from './node-log.ts'
import { askPassphrase } from './passphrase.ts'
import { formatBytes } from './terminal.ts'

interface NodeHome {
  readonly identity: Uint8Array
  readonly grid: OwnGrid
  readonly care: Awaited<ReturnType<typeof accountForCare>>
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
    await serveUntil(signal, await readNodeHome(files), { files, log })
  } catch (thrown) {
    if (!signal.aborted) throw thrown
  }
}

async function serveUntil(
  signal: AbortSignal,
  { identity, care, grid, settings: opened }: NodeHome,
  { files, log }: { files: HomeFiles; log: NodeLog },
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
  network.limit(node)
  network.serve(storage)
  using members = followMembers(files, grid, { self: network.self, log })
  storage.startMaintenance()
  const startedMs = systemClock.nowMs()
  const { membership } = grid
  const { self } = network
  const order = otherNodes(membership, self)
  await using drainer = new Drainer({ storage, caller: network, order, ...SYSTEM, log })
  const orders = operatorOf({
    storage,
    network,
    self,
    membership,
    settings,
    drainer,
    startedMs,
    careState: care.state,
  })
  await using operator = await OperatorServer.open(orders, SYSTEM)
  const birth = (await processBirth(process.pid)) ?? ''
  const announce = async (): Promise<void> => {
    await writeRunning(files.running, {
      pid: process.pid,
      birth,
      peerId: peerIdText(network.self),
      addresses: network.addresses(),
      operator: { port: operator.port, key: operator.key },
      settings: await settingsDigest(files.node),
    })
  }
  await announce()
  await tellGrid(node, { files, grid, identity, network })
  await drainer.follow(node)
  settings.watch({
    onChange: async (changed) => {
      storage.configure(changed)
      network.limit(changed)
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
  const secrets = { identity, account: care.account }
  await using _care = startNodeCare({ files, secrets, grid, network, storage, log })
  const stopTelling = tellRegularly({ settings, files, grid, identity, network })
  const removal = await untilEnd(signal, members)
  stopTelling()
  log.write('stopping', removal?.message)
  await keepAddresses(files, network)
  await removeRunning(files.running)
  if (removal !== undefined) throw removal
}

/** Puts on disk where others are, and tells the grid where this node is. @returns what ends it */
function tellRegularly({
  settings,
  files,
  grid,
  identity,
  network,
}: Omit<NodeHome, 'care'> & {
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

/** @returns why it ends; undefined if it was told to */
async function untilEnd(
  signal: AbortSignal,
  { removed }: FollowedMembers,
): Promise<NotAMemberError | undefined> {
  if (signal.aborted) return undefined
  try {
    await Promise.race([once(signal, 'abort'), removed])
    return undefined
  } catch (thrown) {
    if (thrown instanceof NotAMemberError) return thrown
    throw thrown
  }
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

async function readNodeHome(files: HomeFiles): Promise<NodeHome> {
  // A node has a key of its own where its home is a person's too, so that it starts without their passphrase.
  const ownKey = await readSecret(files.nodeKey)
  const identity = ownKey ?? (await readSecrets(files, askPassphrase)).identity
  const grid = await readOwnGrid(files, systemClock)
  const settings = await NodeSettings.open(files.node, systemClock)
  if (identity !== undefined && grid !== undefined && settings !== undefined) {
    return { identity, care: await accountForCare(files, settings), grid, settings }
  }
  throw new CliError({
    exit: EXIT.config,
    code: 'no-node',
    message: `${files.home} is not the home of a storage node. "hayloft practice start" makes homes for ten.`,
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
  try {
    return await openNetwork({
      ...networkMembership(grid, files),
      identity,
      listen: node.listen,
      standing: standingOf(node),
      knownAddresses: await readAddressFile(files.addresses),
      clock: systemClock,
      signal,
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

function describeSettings({ capacityBytes, reserveBytes, draining }: NodeFile): string {
  const offer = draining === true ? 'nothing, draining' : formatBytes(capacityBytes)
  return `offers ${offer}; leaves ${formatBytes(reserveBytes)} free`
}

/** Ids name what is stored and open nothing; an event never holds more than that. */
function describeEvent(event: StorageEvent): string {
  switch (event.kind) {
    case 'share-lost':
      return `${event.why}: share ${event.index} of ${toHex(event.id)}`
    case 'record-lost':
      return `of slot ${toHex(event.slot)}`
    case 'strays-removed':
      return `${event.files} files that no share belongs to`
    case 'collected':
      return `${event.shares} shares, ${event.records} records, ${formatBytes(event.bytes)}`
    case 'usage-corrected':
      return ''
    case 'clock-jumped':
      return `by ${Math.round(event.jumpMs / 1000)} s; leases go on by the time that this node was on`
    case 'disk-error':
      return event.message
  }
}
