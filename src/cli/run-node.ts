import { once } from 'node:events'
import { toHex } from '../foundation/bytes.ts'
import { messageOf } from '../foundation/error.ts'
import { systemClock, systemRandomness } from '../foundation/system.ts'
import { peerIdText } from '../network/identity.ts'
import { openNetwork, type GridNetwork } from '../network/open.ts'
import type { NodeKey } from '../protocol/node-key.ts'
import type { StorageEvent } from '../storage-node/events.ts'
import { openStorageNode } from '../storage-node/storage-node.ts'
import { openSystemDisk } from '../storage-node/system-disk.ts'
import { keepAddresses, networkMembership } from '../library/client.ts'
import { EXIT } from './exit-codes.ts'
import { CliError } from './failures.ts'
import { readAddressFile } from '../home/address-file.ts'
import { readGridFile, type GridFile } from '../home/grid-file.ts'
import { readSecrets } from '../home/key-store.ts'
import type { HomeFiles } from '../home/layout.ts'
import { readNodeFile, type NodeFile } from '../home/node-file.ts'
import { processBirth } from '../home/processes.ts'
import { removeRunning, writeRunning } from '../home/running-file.ts'
import type { NodeLog } from './node-log.ts'
import { askPassphrase } from './passphrase.ts'
import { formatBytes } from './terminal.ts'

interface NodeHome {
  readonly identity: Uint8Array
  readonly grid: GridFile
  readonly node: NodeFile
}

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
  { identity, grid, node }: NodeHome,
  { files, log }: { files: HomeFiles; log: NodeLog },
): Promise<void> {
  // The disk's lock comes first: a second process on the same home ends here, before it answers anyone.
  await using storage = await openStorageNode({
    disk: await openSystemDisk(files.store),
    clock: systemClock,
    randomness: systemRandomness,
    capacityBytes: node.capacityBytes,
    accountOf: accountsOf(grid, node),
    report: (event) => {
      log.write(event.kind, describeEvent(event))
    },
  })
  await using network = await listen({ identity, grid, node }, { files, signal })
  network.serve(storage)
  storage.startMaintenance()
  await writeRunning(files.running, {
    pid: process.pid,
    birth: (await processBirth(process.pid)) ?? '',
    peerId: peerIdText(network.self),
    addresses: network.addresses(),
  })
  log.write('started', `pid ${process.pid} ${network.addresses().join(' ')}`)
  const stopKeeping = keepAddressesRegularly(files, network)
  if (!signal.aborted) await once(signal, 'abort')
  stopKeeping()
  log.write('stopping')
  await keepAddresses(files, network)
  await removeRunning(files.running)
}

async function readNodeHome(files: HomeFiles): Promise<NodeHome> {
  const { identity } = await readSecrets(files, askPassphrase)
  const grid = await readGridFile(files.grid)
  const node = await readNodeFile(files.node)
  if (identity !== undefined && grid !== undefined && node !== undefined)
    return { identity, grid, node }
  throw new CliError({
    exit: EXIT.config,
    code: 'no-node',
    message: `${files.home} is not the home of a storage node. "hayloft practice start" makes homes for ten.`,
  })
}

/** Members may store up to the quota of their account; nobody else gets anything. */
function accountsOf(
  { members }: GridFile,
  { accountQuotaBytes }: NodeFile,
): (caller: NodeKey) => { account: string; quotaBytes: number } | undefined {
  const tenants = new Map(
    members.map(({ key, account }) => [key, { account, quotaBytes: accountQuotaBytes }]),
  )
  return (caller) => tenants.get(caller)
}

async function listen(
  { identity, grid, node }: NodeHome,
  { files, signal }: { files: HomeFiles; signal: AbortSignal },
): Promise<GridNetwork> {
  try {
    return await openNetwork({
      ...networkMembership(grid),
      identity,
      listen: node.listen,
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

function keepAddressesRegularly(files: HomeFiles, network: GridNetwork): () => void {
  let cancel = (): void => undefined
  const schedule = (): void => {
    cancel = systemClock.after(KEEP_ADDRESSES_INTERVAL_MS, () => {
      void keepAddresses(files, network).then(schedule)
    })
  }
  schedule()
  return () => {
    cancel()
  }
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
