import type { BandwidthSchedule } from '../../home/bandwidth-schedule.ts'
import { REACHABLE, type NodeChange, type NodeFile } from '../../home/node-file.ts'
import { formatRate } from '../bandwidth.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { usageError } from '../failures.ts'
import { localOnlyAdvice } from '../node/local-only.ts'
import {
  changeNode,
  describeConfig,
  readNodeConfig,
  roomOf,
  type DiskRoom,
} from '../node/node-change.ts'
import type { NodeCommandContext } from '../node/require-node.ts'
import type { Applied } from '../node/settings.ts'
import { rateArgument, sizeArgument } from '../sizes.ts'
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
  const change = changeIn(request)
  const changed = isChange ? await changeNode(change, { files, signal }) : undefined
  const { node, bandwidth } = changed ?? (await readNodeConfig(files))
  const applied = changed?.applied ?? 'not-running'
  const config = describeConfig(node, bandwidth.usual)
  if (terminal.json) terminal.value({ ...config, ...(isChange && { applied }) })
  else {
    show(terminal, node, bandwidth)
    if (isChange) terminal.note(SAID_OF[applied])
    if (isAboutPaths(request) && applied !== 'not-running') terminal.note(LISTEN_LATER)
    if (request.maintain !== undefined && applied !== 'not-running') terminal.note(MAINTAIN_LATER)
    noteTightness(terminal, node, changed?.room ?? (await roomOf(files)))
    const advice = localOnlyAdvice(node)
    if (isChange && advice !== undefined) terminal.note(advice)
  }
  return EXIT.ok
}

/** Whether it takes a start to follow. */
function isAboutPaths({ listen, announce, reachable, portMapping }: NodeConfigRequest): boolean {
  return [listen, announce, reachable, portMapping].some((value) => value !== undefined)
}

function changeIn(request: NodeConfigRequest): NodeChange {
  const { offer, reserve, quota, uploadLimit, downloadLimit } = request
  const { reachable, portMapping, maintain, announce, zone, listen } = request
  const isOn = (text: string, option: string): boolean =>
    choiceArgument(text, option, ['on', 'off']) === 'on'
  return {
    ...(offer !== undefined && { capacityBytes: sizeArgument(offer, '--offer') }),
    ...(reserve !== undefined && { reserveBytes: sizeArgument(reserve, '--reserve') }),
    ...(quota !== undefined && {
      accountQuotaBytes: quota === 'none' ? null : sizeArgument(quota, '--quota'),
    }),
    ...(uploadLimit !== undefined && {
      uploadBytesPerS: rateArgument(uploadLimit, '--upload-limit') ?? null,
    }),
    ...(downloadLimit !== undefined && {
      downloadBytesPerS: rateArgument(downloadLimit, '--download-limit') ?? null,
    }),
    ...(zone !== undefined && { zone }),
    ...(listen !== undefined && { listen }),
    ...(announce !== undefined && { announce }),
    ...(reachable !== undefined && {
      reachable: choiceArgument(reachable, '--reachable', REACHABLE),
    }),
    ...(portMapping !== undefined && { portMapping: isOn(portMapping, '--port-mapping') }),
    ...(maintain !== undefined && { maintain: maintain === 'on' }),
  }
}

function choiceArgument<T extends string>(text: string, option: string, choices: readonly T[]): T {
  const choice = choices.find((each) => each === text)
  if (choice !== undefined) return choice
  throw usageError(
    `The option ${option} takes ${choices.join(', ').replace(/, ([^,]+)$/, ' or $1')}.`,
  )
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
