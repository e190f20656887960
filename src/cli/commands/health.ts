import type { Capability, LiteralCapability } from '../../capabilities/capability.ts'
import { systemClock } from '../../foundation/system.ts'
import type { Assessment } from '../../grid/care/assess.ts'
import { NEW_ROOT, type RootRecord } from '../../grid/care/memory.ts'
import { rootIdOf } from '../../grid/care/roots.ts'
import { HomeCareMemory } from '../../home/care-memory.ts'
import { isLocked } from '../../home/file-lock.ts'
import { placeOfSecrets } from '../../home/key-store.ts'
import { readNodeFile } from '../../home/node-file.ts'
import {
  careRootsOf,
  drillFiles,
  rootOf,
  type FileDrill,
  type HomeRoot,
} from '../../library/care.ts'
import type { Client } from '../../library/client.ts'
import { nodeLabel } from '../../library/node-names.ts'
import { jsonOfNodes, nodeLines, presumptionLines } from '../care/node-text.ts'
import { chanceText, helpSentences, stateSentence } from '../care/state-text.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { isHeldByCapability, verifiableAt } from '../folders/place-capability.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument } from '../paths/place.ts'
import { withProgress } from '../progress.ts'
import { count, formatBytes } from '../terminal.ts'

export interface HealthRequest {
  /** By default all that the home looks after. */
  readonly place?: string | undefined
  /** How many files, or blocks, to fetch for real. */
  readonly drill?: number | undefined
}

interface Tools extends CommandContext {
  readonly client: Client
  readonly memory: HomeCareMemory
  /** Whether somebody looks after this home now. */
  readonly isMaintained: boolean
}

/** How safe things are: how many households may vanish, how likely a loss is, and what would help. */
export async function health(request: HealthRequest, context: CommandContext): Promise<ExitCode> {
  const { files, terminal, signal } = context
  const home = openOwnHome(files)
  const place =
    request.place === undefined ? undefined : await placeArgument(request.place, home.findAlias)
  if (place !== undefined && isHeldByCapability(place)) return tellLiteral(context, place.label)
  await using client = await openFolderClient(context, home)
  const memory = new HomeCareMemory(files.care)
  const isMaintained = await isLocked(files.careLock)
  const tools: Tools = { ...context, client, memory, isMaintained }
  const named = place && (await verifiableAt(place, tools))
  const roots = await rootsFor(request.place, named, tools)
  const results: Result[] = []
  for (const root of roots) {
    const result = await lookAt(root, request, tools)
    results.push(result)
    if (!terminal.json) tell(result, tools)
  }
  if (terminal.json) {
    const nodes = await jsonOfNodes(client, memory)
    terminal.value({ maintained: isMaintained, places: results.map(jsonOf), nodes })
  } else {
    for (const line of await nodeLines(client, memory, systemClock.nowMs())) terminal.line(line)
    if (results.some(({ assessment }) => hasChances(assessment))) {
      for (const line of await presumptionLines(client, memory)) terminal.line(line)
    }
    if (!isMaintained) {
      terminal.line(await nobodyCaresText(context))
    }
  }
  signal.throwIfAborted()
  return statusOf(results)
}

interface Result {
  readonly label: string
  readonly assessment: Assessment
  readonly record: RootRecord
  readonly drill: Drilled | undefined
  readonly help: readonly string[]
  /** The root folder of an account that nobody has written to. */
  readonly isAbsent: boolean
}

type Drilled = Pick<FileDrill, 'what' | 'tried' | 'whole' | 'bytes' | 'failed'>

async function rootsFor(
  place: string | undefined,
  named: Exclude<Capability, LiteralCapability> | undefined,
  { client, files }: Tools,
): Promise<HomeRoot[]> {
  if (named !== undefined) {
    // A capability itself is not repeated.
    const label = place !== undefined && /^[^\s:]+:/.test(place) ? place : 'this'
    return [rootOf(client, named, label)]
  }
  return await careRootsOf(client, files)
}

async function lookAt(
  root: HomeRoot,
  request: HealthRequest,
  { client, memory, terminal, signal, isMaintained }: Tools,
): Promise<Result> {
  const { name: label, capability, given } = root
  const history = (await root.history?.(signal)) ?? {}
  const assessment = await withProgress(terminal, `Looking at ${label}`, (onProgress) =>
    client.grid.assess(capability, { ...history, memory, signal, onProgress }),
  )
  const { state, report } = assessment
  const id = rootIdOf(root)
  const known = await memory.root(id)
  const isNowhere = report.blocks.total === 0 && report.slots.lost === report.slots.total
  const isAbsent = root.mayBeAbsent === true && isNowhere && known?.state === undefined
  const drill =
    request.drill === undefined || isAbsent
      ? undefined
      : await drillAt(given, assessment, { count: request.drill, client, signal })
  let record = known ?? NEW_ROOT
  if (drill !== undefined) {
    const nowMs = systemClock.nowMs()
    const isWhole = drill.tried > 0 && drill.whole === drill.tried
    record = { ...record, drilledMs: nowMs, ...(isWhole && { verifiedMs: nowMs }) }
    // Of what nobody looks after nothing is remembered.
    if (known !== undefined) await memory.saveRoot(id, record)
  }
  const help = isAbsent ? [] : helpSentences(state, { label, isMaintained })
  return { label, assessment, record, drill, help, isAbsent }
}

async function drillAt(
  given: Exclude<Capability, LiteralCapability>,
  { sample }: Assessment,
  options: { count: number; client: Client; signal: AbortSignal },
): Promise<Drilled> {
  const { count: files, client, signal } = options
  const drill = await drillFiles(client, given, { files, signal })
  if (drill !== undefined) return drill
  const { what, tried, whole, bytes } = await client.grid.drillBlocks(
    sample.slice(0, files),
    signal,
  )
  return { what, tried, whole, bytes, failed: [] }
}

function tell({ label, assessment, record, drill, help, isAbsent }: Result, tools: Tools): void {
  const { terminal, client } = tools
  const { state, report } = assessment
  if (isAbsent) {
    terminal.line(`${label} There is nothing in it yet.`)
    return
  }
  terminal.line(`${label} ${stateSentence(state)}`)
  terminal.line(
    `  ${count(state.blocks, 'block')} of ${formatBytes(state.bytes)} and ${count(state.slots, 'slot')}.`,
  )
  if (hasChances(assessment)) {
    terminal.line(
      `  Cannot be read at some moment because too many nodes are off: ${chanceText(state.chanceUnreadable)}.`,
    )
    terminal.line(
      `  Is lost in part within a year, with repairs going on: ${chanceText(state.chanceOfLossInYear)}.`,
    )
  }
  if (drill === undefined) terminal.line(`  ${verifiedText(record)}`)
  else {
    terminal.line(
      `  Fetched for real: ${drill.whole} of ${count(drill.tried, drill.what.slice(0, -1))} chosen by chance came whole, ` +
        `${formatBytes(drill.bytes)}.`,
    )
    for (const { path, message } of drill.failed) terminal.line(`    ${path}: ${message}`)
  }
  const silent = report.nodesSilent.map((node) => nodeLabel(client.membership, node))
  if (silent.length > 0) {
    terminal.line(`  Not counted, for there is no answer from ${silent.join(', ')}.`)
  }
  for (const sentence of help) terminal.line(`  ${sentence}`)
}

/** What is lost, or not known to be there, has no chances to be told. */
function hasChances({ state }: Assessment): boolean {
  return state.lost === 0 && state.recoverable !== 'unknown'
}

async function nobodyCaresText({ files }: CommandContext): Promise<string> {
  const isSealed = (await placeOfSecrets(files)) === 'key-store-under-passphrase'
  const hasNode = (await readNodeFile(files.node)) !== undefined
  const why = isSealed && hasNode ? ' Its node cannot, for the account is under a passphrase.' : ''
  return `Nobody looks after this home now.${why} "hayloft maintain" does, as long as it runs.`
}

function verifiedText({ verifiedMs }: RootRecord): string {
  if (verifiedMs === 0) return 'Never tried whether it can be had: --drill fetches some of it.'
  const days = Math.floor((systemClock.nowMs() - verifiedMs) / (24 * 3_600_000))
  return days <= 0 ? 'Verified today.' : `Verified ${count(days, 'day')} ago.`
}

function jsonOf({ label, assessment, record, drill, help, isAbsent }: Result): object {
  const { recoverable, ...state } = assessment.state
  const iso = (timeMs: number): string | null =>
    timeMs === 0 ? null : new Date(timeMs).toISOString()
  return {
    place: label,
    absent: isAbsent,
    recoverable: recoverable === true,
    unknown: recoverable === 'unknown',
    ...state,
    verified: iso(record.verifiedMs),
    visited: iso(record.visitedMs),
    ...(drill && { drill }),
    help,
  }
}

function statusOf(results: readonly Result[]): ExitCode {
  const there = results.filter(({ isAbsent }) => !isAbsent)
  const isLost = there.some(({ assessment, drill }) => {
    const fails = drill !== undefined && drill.whole < drill.tried
    return assessment.state.lost > 0 || assessment.state.recoverable === false || fails
  })
  if (isLost) return EXIT.lost
  const isFine = there.every(({ assessment: { state } }) => state.healthy && state.mayVanish > 0)
  return isFine ? EXIT.ok : EXIT.degraded
}

function tellLiteral({ terminal }: CommandContext, label: string): ExitCode {
  if (terminal.json) terminal.value({ maintained: false, places: [], nodes: [] })
  else
    terminal.line(
      `${label.includes(':') ? label : 'This'}: the capability itself holds it; no node can lose it.`,
    )
  return EXIT.ok
}
