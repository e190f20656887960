import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCodeOf } from '../../foundation/error.ts'
import { readBandwidthFile, writeBandwidthFile } from '../../home/bandwidth-file.ts'
import type { BandwidthSchedule, RateLimits } from '../../home/bandwidth-schedule.ts'
import { makePrivateDirectory } from '../../home/files.ts'
import type { HomeFiles } from '../../home/layout.ts'
import {
  DEFAULT_RESERVE_BYTES,
  readNodeFile,
  writeNodeFile,
  type NodeChange,
  type NodeConfigJson,
  type NodeFile,
} from '../../home/node-file.ts'
import { isMultiaddr } from '../../network/multiaddr-text.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError, usageError } from '../failures.ts'
import { adoptNode } from '../grid/adopt-node.ts'
import { formatBytes } from '../terminal.ts'
import { waitUntilApplied, type Applied } from './settings.ts'
import { zoneArgument } from './zone.ts'

/**
 * How a node would run with a change; writes nothing.
 * @throws CliError if the change is none, or more is offered than there is
 */
export async function settleNode(
  change: NodeChange,
  files: HomeFiles,
): Promise<{ node: NodeFile; room: DiskRoom }> {
  const before = await readNodeFile(files.node)
  if (before === undefined && change.capacityBytes === undefined) throw noSettings(files)
  const node = changed(before ?? NEW_NODE, change)
  const room = await roomOf(files)
  const isAboutRoom = change.capacityBytes !== undefined || change.reserveBytes !== undefined
  if (isAboutRoom) refuseBeyondDisk(node, room)
  return { node, room }
}

/**
 * Writes how the node of a home is to run from now on, and waits until a running one goes by it.
 * @throws CliError as {@link settleNode}
 */
export async function changeNode(
  change: NodeChange,
  { files, signal }: { readonly files: HomeFiles; readonly signal: AbortSignal },
): Promise<NodeConfig & { readonly room: DiskRoom; readonly applied: Applied }> {
  const { node, room } = await settleNode(change, files)
  const before = await readBandwidthFile(files.bandwidth)
  const usual = changedRates(before.usual, change)
  await makePrivateDirectory(files.home)
  const isNew = (await readNodeFile(files.node)) === undefined
  await writeNodeFile(files.node, node)
  if (usual !== before.usual) await writeBandwidthFile(files.bandwidth, { ...before, usual })
  if (isNew) await adoptNode(files)
  const applied = await waitUntilApplied(files, signal)
  return { node, bandwidth: { ...before, usual }, room, applied }
}

/** How the node of a home is to run. */
export interface NodeConfig {
  readonly node: NodeFile
  readonly bandwidth: BandwidthSchedule
}

/** @throws CliError where there is no node */
export async function readNodeConfig(files: HomeFiles): Promise<NodeConfig> {
  const node = await readNodeFile(files.node)
  if (node === undefined) throw noSettings(files)
  return { node, bandwidth: await readBandwidthFile(files.bandwidth) }
}

const NEW_NODE: NodeFile = {
  listen: ['/ip4/127.0.0.1/tcp/0'],
  capacityBytes: 0,
  reserveBytes: DEFAULT_RESERVE_BYTES,
}

function changed(before: NodeFile, change: NodeChange): NodeFile {
  const { zone, listen, announce, accountQuotaBytes: quotaBytes } = change
  const { capacityBytes, reserveBytes, reachable, portMapping, maintain } = change
  return {
    ...before,
    ...(capacityBytes !== undefined && { capacityBytes }),
    ...(reserveBytes !== undefined && { reserveBytes }),
    ...(zone !== undefined && { zone: zoneArgument(zone) }),
    ...(quotaBytes !== undefined && { accountQuotaBytes: quotaBytes ?? undefined }),
    ...(listen !== undefined && { listen: listen.map(listenArgument) }),
    ...(announce !== undefined && { announce: announceArgument(announce) }),
    ...(reachable !== undefined && { reachable }),
    ...(portMapping !== undefined && { portMapping }),
    ...(maintain !== undefined && { maintain }),
  }
}

function changedRates(
  before: RateLimits,
  { uploadBytesPerS: upload, downloadBytesPerS: download }: NodeChange,
): RateLimits {
  if (upload === undefined && download === undefined) return before
  return {
    ...before,
    ...(upload !== undefined && { uploadBytesPerS: upload ?? undefined }),
    ...(download !== undefined && { downloadBytesPerS: download ?? undefined }),
  }
}

function announceArgument(texts: readonly string[]): readonly string[] {
  if (texts.length === 1 && texts[0] === 'none') return []
  const flawed = texts.find((text) => !isMultiaddr(text) || !text.includes('/tcp/'))
  if (flawed === undefined) return texts
  throw usageError(
    'The option --announce takes addresses that others reach this node at, such as /dns4/home.example.org/tcp/4001 ' +
      'or /ip4/198.51.100.7/tcp/4001, or "none".',
  )
}

function listenArgument(text: string): string {
  if (isMultiaddr(text)) return text
  throw usageError(
    'The option --listen takes a multiaddr, such as /ip4/0.0.0.0/tcp/4001 (every address of this machine) ' +
      'or /ip4/127.0.0.1/tcp/0 (this machine only, any port).',
  )
}

/** What the disk of a node has. */
export interface DiskRoom {
  readonly totalBytes: number
  readonly freeBytes: number
}

export async function roomOf({ store }: HomeFiles): Promise<DiskRoom> {
  for (let path = store; ; path = dirname(path)) {
    try {
      const { bsize, blocks, bavail } = await statfs(path)
      return { totalBytes: bsize * blocks, freeBytes: bsize * bavail }
    } catch (thrown) {
      // Nothing may be there yet: then it will be on the disk that its place is on.
      if (systemCodeOf(thrown) !== 'ENOENT' || dirname(path) === path) throw thrown
    }
  }
}

function refuseBeyondDisk(
  { capacityBytes, reserveBytes }: NodeFile,
  { totalBytes }: DiskRoom,
): void {
  if (capacityBytes + reserveBytes <= totalBytes) return
  const mostBytes = Math.max(0, totalBytes - reserveBytes)
  throw new CliError({
    exit: EXIT.usage,
    code: 'offer-exceeds-disk',
    message:
      `The disk of this node has ${formatBytes(totalBytes)} in all, of which ${formatBytes(reserveBytes)} are to stay ` +
      `free: it cannot offer ${formatBytes(capacityBytes)}. ` +
      (mostBytes > 0 ? `Offer at most ${formatBytes(mostBytes)}.` : 'Reserve less.'),
  })
}

/** For programs. */
export function describeConfig(node: NodeFile, usual: RateLimits): NodeConfigJson {
  return {
    listen: [...node.listen],
    capacityBytes: node.capacityBytes,
    reserveBytes: node.reserveBytes,
    accountQuotaBytes: node.accountQuotaBytes ?? null,
    zone: node.zone ?? null,
    uploadBytesPerS: usual.uploadBytesPerS ?? null,
    downloadBytesPerS: usual.downloadBytesPerS ?? null,
    reachable: node.reachable ?? 'auto',
    portMapping: node.portMapping ?? true,
    announce: [...(node.announce ?? [])],
    draining: node.draining === true,
    maintain: node.maintain !== false,
  }
}

function noSettings({ home }: HomeFiles): CliError {
  return new CliError({
    exit: EXIT.config,
    code: 'no-node',
    message: `There is no storage node in ${home} yet. "hayloft node config --offer 500GB" makes one.`,
  })
}
