import type { NewVersion } from '../../folders/commit/edits.ts'
import { versionOf } from '../../folders/service/shown-version.ts'
import type { CommitResult } from '../../folders/service/folder.ts'
import type { Path } from '../../folders/names.ts'
import type { Shown } from '../../folders/read.ts'
import { assert } from '../../foundation/error.ts'
import { systemClock } from '../../foundation/system.ts'
import type { SeenVersions } from '../../home/seen-versions.ts'
import type { Client } from '../../library/client.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError, usageError } from '../failures.ts'
import type { LocalSource } from '../local/sources.ts'
import { putMutable } from '../mutable/put-mutable.ts'
import type { Place } from '../paths/place.ts'
import { openProgress } from '../progress.ts'
import { openSource, STANDARD_INPUT } from '../source.ts'
import { formatBytes, type Terminal } from '../terminal.ts'
import { Totals } from '../totals.ts'
import { destinationFor } from './destination.ts'
import { expectationAt, type ExpectedVersion } from './expected-version.ts'
import { saysSame, stateOf } from './local-state.ts'
import { viewAt, newEntryAt, type Writable } from './powers.ts'
import { labelBelow } from './label.ts'

type OneSource = Exclude<LocalSource, { kind: 'directory' }>

interface Tools {
  readonly client: Client
  readonly terminal: Terminal
  readonly signal: AbortSignal
  readonly expected: ExpectedVersion
  readonly seen: SeenVersions
}

/** Puts one file, link or standard input, if need be only in place of the version that its user has seen. */
export async function putOne(source: OneSource, target: Place, tools: Tools): Promise<ExitCode> {
  const { seen, signal, terminal } = tools
  const path = await destinationOf(source, target, tools)
  const label = labelBelow(target, path)
  const at = await newEntryAt({ ...target, path, label }, tools)
  const before = await (await at.folder.now({ signal })).stat(at.path)
  if (before?.entry.kind === 'linked-file') {
    const linked = await (await at.folder.now({ signal })).capability(at.path, 'write')
    assert(linked.kind === 'mutable-write', 'a link to a file that changes leads to one')
    return await putMutable(source, { capability: linked, label, expected: tools.expected }, tools)
  }
  const expectation = await expectationAt(at, tools.expected, { seen, label, signal })
  refuseInTheWay(before, label)
  const { content, sizeBytes } = await storeContent(source, at, { label, ...tools })
  const isSame =
    before !== undefined && expectation === undefined && saysSame(before.entry, content)
  const result = isSame
    ? undefined
    : await at.folder.edit([{ kind: 'put', path: at.path, content }], {
        ...(expectation && { ifUnchanged: [{ path: at.path, ...expectation }] }),
        signal,
      })
  const after = await (await at.folder.now({ signal })).stat(at.path)
  // What somebody else wrote right after was not seen here.
  const isOwn = after !== undefined && saysSame(after.entry, content)
  const version = isOwn ? versionOf(after) : undefined
  if (version !== undefined)
    seen.remember({ slot: at.folder.capability.slot, path: at.path }, version)
  report({ label, sizeBytes, version, result }, terminal)
  return EXIT.ok
}

async function destinationOf(source: OneSource, target: Place, tools: Tools): Promise<Path> {
  if (source.kind !== 'standard-input') {
    return await destinationFor(await viewAt(target, tools), target, source.name)
  }
  if (target.path.length === 0 || target.isDirectory) {
    throw usageError('Standard input has no name: give it one, as in hayloft put - home:notes.txt')
  }
  return target.path
}

function refuseInTheWay(shown: Shown | undefined, label: string): void {
  const kind = shown?.entry.kind
  if (kind !== 'directory' && kind !== 'linked-folder') return
  throw new CliError({
    exit: EXIT.cannotCreate,
    code: 'in-the-way',
    message: `${label} is a directory. Remove it first, or choose another name.`,
  })
}

async function storeContent(
  source: OneSource,
  { folder }: Writable,
  { label, terminal, signal }: Tools & { readonly label: string },
): Promise<{ content: NewVersion; sizeBytes: number }> {
  if (source.kind === 'file' && source.file.kind === 'symlink') {
    const { stats, target } = source.file
    return { content: { kind: 'symlink', target, mtimeMs: stateOf(stats).mtimeMs }, sizeBytes: 0 }
  }
  await using opened = await openSource(source.kind === 'file' ? source.file.at : STANDARD_INPUT)
  const progress = await openProgress(terminal, { label: `Putting ${label}`, clock: systemClock })
  const totals = new Totals(progress)
  totals.expect(opened.sizeBytes)
  try {
    const state =
      opened.stats === undefined ? { mtimeMs: systemClock.nowMs() } : stateOf(opened.stats)
    const content = await folder.putFile(totals.counting(opened.chunks), { ...state, signal })
    const sizeBytes =
      content.kind === 'file'
        ? content.sizeBytes
        : content.kind === 'literal'
          ? content.bytes.length
          : 0
    return { content, sizeBytes }
  } finally {
    progress.stop()
  }
}

function report(
  put: {
    readonly label: string
    readonly sizeBytes: number
    readonly version: string | undefined
    readonly result: CommitResult | undefined
  },
  terminal: Terminal,
): void {
  const { label, sizeBytes, version, result } = put
  const isDegraded = result?.durability === 'degraded'
  if (terminal.json) {
    terminal.value({
      place: label,
      size: sizeBytes,
      ...(version === undefined ? {} : { version }),
      unchanged: result === undefined || result.durability === 'unchanged',
      health: isDegraded ? 'degraded' : 'healthy',
      sentBytes: result?.sentBytes ?? 0,
      conflicts: result?.conflicts.map((path) => path.join('/')) ?? [],
    })
    return
  }
  terminal.note(
    result === undefined
      ? `${label} has that content already.`
      : `${label}: ${formatBytes(sizeBytes)}`,
  )
  if (isDegraded) {
    terminal.note(
      `${label}: stored, but so far on few storage nodes. It is brought to more when they are back.`,
    )
  }
  for (const path of result?.conflicts ?? []) {
    terminal.note(`Others wrote at the same time; what they had is at ${path.join('/')}`)
  }
}
