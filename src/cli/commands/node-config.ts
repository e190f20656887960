import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCodeOf } from '../../foundation/error.ts'
import { readBandwidthFile, writeBandwidthFile } from '../../home/bandwidth-file.ts'
import type { BandwidthSchedule, RateLimits } from '../../home/bandwidth-schedule.ts'
import { makePrivateDirectory } from '../../home/files.ts'
import type { HomeFiles } from '../../home/layout.ts'
import {
  DEFAULT_RESERVE_BYTES,
  REACHABLE,
  readNodeFile,
  writeNodeFile,
  type NodeFile,
} from '../../home/node-file.ts'
import { isMultiaddr } from '../../network/multiaddr-text.ts'
import { changedLimits, formatRate } from '../bandwidth.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError, usageError } from '../failures.ts'
import { adoptNode } from '../grid/adopt-node.ts'
import type { NodeCommandContext } from '../node/require-node.ts'
import { localOnlyAdvice } from '../node/local-only.ts'
import { waitUntilApplied, type Applied } from '../node/settings.ts'
import { zoneArgument } from '../node/zone.ts'
import { sizeArgument } from '../sizes.ts'
import { formatBytes, type Terminal } from '../terminal.ts'

export interface NodeConfigRequest {
  readonly offer?: string
  readonly reserve?: string
  readonly zone?: string
  readonly quota?: string
  readonly uploadLimit?: string
  readonly downloadLimit?: string
  readonly listen?: readonly string[]
  readonly announce?: readonly string[]
  readonly reachable?: string
  readonly portMapping?: string
  readonly maintain?: 'on' | 'off'
}

/** Shows or changes `node.json`. */
export async function nodeConfig(
  request: NodeConfigRequest,
  { files, terminal, signal }: NodeCommandContext,
): Promise<ExitCode> {
  const isChange = Object.keys(request).length > 0
  const { node, room } = await settleNode(request, files)
  const before = await readBandwidthFile(files.bandwidth)
  const usual = changedLimits(before.usual, {
    upload: request.uploadLimit,
    download: request.downloadLimit,
    suffix: '-limit',
  })
  let applied: Applied = 'not-running'
  if (isChange) {
    await makePrivateDirectory(files.home)
    const isNew = (await readNodeFile(files.node)) === undefined
    await writeNodeFile(files.node, node)
    if (usual !== before.usual) await writeBandwidthFile(files.bandwidth, { ...before, usual })
    if (isNew) await adoptNode(files)
    applied = await waitUntilApplied(files, signal)
  }
  if (terminal.json) terminal.value({ ...described(node, usual), ...(isChange && { applied }) })
  else {
    show(terminal, node, { ...before, usual })
    if (isChange) terminal.note(SAID_OF[applied])
    if (isAboutPaths(request) && applied !== 'not-running') terminal.note(LISTEN_LATER)
    if (request.maintain !== undefined && applied !== 'not-running') terminal.note(MAINTAIN_LATER)
    noteTightness(terminal, node, room)
    const advice = localOnlyAdvice(node)
    if (isChange && advice !== undefined) terminal.note(advice)
  }
  return EXIT.ok
}

/** Whether it takes a start to follow. */
function isAboutPaths({ listen, announce, reachable, portMapping }: NodeConfigRequest): boolean {
  return [listen, announce, reachable, portMapping].some((value) => value !== undefined)
}

/**
 * How a node would run with a change; writes nothing.
 * @throws CliError if the change is none, or more is offered than there is
 */
export async function settleNode(
  request: NodeConfigRequest,
  files: HomeFiles,
): Promise<{ node: NodeFile; room: DiskRoom }> {
  const before = await readNodeFile(files.node)
  if (before === undefined && request.offer === undefined) throw noSettings(files)
  const node = changed(before ?? NEW_NODE, request)
  const room = await roomOf(files)
  if (request.offer !== undefined || request.reserve !== undefined) refuseBeyondDisk(node, room)
  return { node, room }
}

const NEW_NODE: NodeFile = {
  listen: ['/ip4/127.0.0.1/tcp/0'],
  capacityBytes: 0,
  reserveBytes: DEFAULT_RESERVE_BYTES,
}

function changed(before: NodeFile, request: NodeConfigRequest): NodeFile {
  const { offer, reserve, zone, quota, listen } = request
  const { announce, reachable, portMapping, maintain } = request
  return {
    ...before,
    ...(offer !== undefined && { capacityBytes: sizeArgument(offer, '--offer') }),
    ...(reserve !== undefined && { reserveBytes: sizeArgument(reserve, '--reserve') }),
    ...(zone !== undefined && { zone: zoneArgument(zone) }),
    ...(quota !== undefined && {
      accountQuotaBytes: quota === 'none' ? undefined : sizeArgument(quota, '--quota'),
    }),
    ...(listen !== undefined && { listen: listen.map(listenArgument) }),
    ...(announce !== undefined && { announce: announceArgument(announce) }),
    ...(reachable !== undefined && {
      reachable: choiceArgument(reachable, '--reachable', REACHABLE),
    }),
    ...(portMapping !== undefined && {
      portMapping: choiceArgument(portMapping, '--port-mapping', ['on', 'off']) === 'on',
    }),
    ...(maintain !== undefined && { maintain: maintain === 'on' }),
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

function choiceArgument<T extends string>(text: string, option: string, choices: readonly T[]): T {
  const choice = choices.find((each) => each === text)
  if (choice !== undefined) return choice
  throw usageError(
    `The option ${option} takes ${choices.join(', ').replace(/, ([^,]+)$/, ' or $1')}.`,
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

async function roomOf({ store }: HomeFiles): Promise<DiskRoom> {
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

function noteTightness(
  terminal: Terminal,
  { capacityBytes, reserveBytes }: NodeFile,
  { freeBytes }: DiskRoom,
): void {
  const usableBytes = Math.max(0, freeBytes - reserveBytes)
  if (usableBytes >= capacityBytes) return
  terminal.note(
    `Only ${formatBytes(usableBytes)} can be filled now, beside what it keeps already: its disk has ` +
      `${formatBytes(freeBytes)} free, and ${formatBytes(reserveBytes)} stay so.`,
  )
}

const SAID_OF: Readonly<Record<Applied, string>> = {
  running: 'The running node goes by it now.',
  'not-running': 'No node runs here now; the next one goes by it.',
  late: 'A node runs here but has not taken it up yet; its log says why.',
}
const LISTEN_LATER = 'Where it listens and how it is reached changes when it is started again.'
const MAINTAIN_LATER =
  'Whether it looks after what this home keeps changes when it is started again.'

const SAID_OF_REACHABLE = {
  auto: 'it finds out',
  yes: 'yes, so it relays for others',
  no: 'no, so it keeps to relays',
} as const

function described(node: NodeFile, usual: RateLimits): object {
  return {
    listen: node.listen,
    capacityBytes: node.capacityBytes,
    reserveBytes: node.reserveBytes,
    accountQuotaBytes: node.accountQuotaBytes ?? null,
    zone: node.zone ?? null,
    uploadBytesPerS: usual.uploadBytesPerS ?? null,
    downloadBytesPerS: usual.downloadBytesPerS ?? null,
    reachable: node.reachable ?? 'auto',
    portMapping: node.portMapping ?? true,
    announce: node.announce ?? [],
    draining: node.draining === true,
    maintain: node.maintain !== false,
  }
}

function show(terminal: Terminal, node: NodeFile, { usual, times }: BandwidthSchedule): void {
  const rate = (bytesPerS: number | undefined): string =>
    formatRate(bytesPerS) + (times.length === 0 ? '' : ', at times another: "hayloft bandwidth"')
  const { capacityBytes, reserveBytes, accountQuotaBytes: quotaBytes } = node
  const rows: readonly (readonly [string, string])[] = [
    ['offer', node.draining === true ? 'nothing: it is draining' : formatBytes(capacityBytes)],
    ['reserve', `${formatBytes(reserveBytes)} stay free`],
    ['quota', quotaBytes === undefined ? 'as much as the account offers' : formatBytes(quotaBytes)],
    ['zone', node.zone ?? 'not named'],
    ['upload limit', rate(usual.uploadBytesPerS)],
    ['download limit', rate(usual.downloadBytesPerS)],
    ['maintain', node.maintain === false ? 'off' : 'on'],
    ['listen', node.listen.join(' ')],
    ['announce', (node.announce ?? []).join(' ') || 'what it finds out'],
    ['reachable', SAID_OF_REACHABLE[node.reachable ?? 'auto']],
    ['port mapping', node.portMapping === false ? 'off' : 'the router is asked'],
  ]
  for (const [name, value] of rows) terminal.line(`${name.padEnd(15)} ${value}`)
}

function noSettings({ home }: HomeFiles): CliError {
  return new CliError({
    exit: EXIT.config,
    code: 'no-node',
    message: `There is no storage node in ${home} yet. "hayloft node config --offer 500GB" makes one.`,
  })
}
