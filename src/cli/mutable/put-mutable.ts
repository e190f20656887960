import type { MutableWriteCapability } from '../../capabilities/capability.ts'
import { systemClock } from '../../foundation/system.ts'
import type { WrittenFile } from '../../grid/mutable/files.ts'
import type { FileVersion } from '../../grid/mutable/version.ts'
import type { SeenVersions } from '../../home/seen-versions.ts'
import type { Client } from '../../library/client.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { usageError } from '../failures.ts'
import { changedSince, neverSeen, type ExpectedVersion } from '../folders/expected-version.ts'
import type { LocalSource } from '../local/sources.ts'
import { openProgress } from '../progress.ts'
import { openSource, STANDARD_INPUT } from '../source.ts'
import { formatBytes, type Terminal } from '../terminal.ts'
import { Totals } from '../totals.ts'
import { mutableVersionOf, seenPlaceOf } from './mutable-version.ts'

interface Tools {
  readonly client: Client
  readonly terminal: Terminal
  readonly signal: AbortSignal
  readonly seen: SeenVersions
}

/** Gives a file that changes new content, if need be only in place of the version that its user has seen. */
export async function putMutable(
  source: LocalSource,
  target: {
    readonly capability: MutableWriteCapability
    readonly label: string
    readonly expected: ExpectedVersion
  },
  tools: Tools,
): Promise<ExitCode> {
  const { capability } = target
  // Of an alias alone without its colon, for others follow.
  const label = target.label.replace(/:$/, '')
  const { seen, terminal } = tools
  const at = pathOf(source, label)
  const ifVersion = await versionToReplace({ ...target, label }, tools)
  const written = await writeFrom(at, { capability, label, ifVersion }, tools)
  const version = mutableVersionOf(written.version)
  seen.remember(seenPlaceOf(capability), version)
  report(written, { label, version }, terminal)
  return EXIT.ok
}

function pathOf(source: LocalSource, label: string): string {
  switch (source.kind) {
    case 'standard-input':
      return STANDARD_INPUT
    case 'file':
      return source.file.at
    case 'directory':
      throw usageError(`${label} is one file, and ${source.at} a directory. It goes into a folder.`)
  }
}

/** @returns undefined where anything may be replaced @throws CliError if what is there is another version */
async function versionToReplace(
  {
    capability,
    label,
    expected,
  }: { capability: MutableWriteCapability; label: string; expected: ExpectedVersion },
  { client, seen, signal }: Tools,
): Promise<FileVersion | undefined> {
  if (expected.kind === 'any') return undefined
  const last = seen.look(seenPlaceOf(capability))
  if (expected.kind === 'last-seen' && last === 'never') throw neverSeen(label)
  const { current, conflicts } = await client.mutableFiles.look(capability, { signal })
  const version = mutableVersionOf(current)
  const isExpected =
    expected.kind === 'version'
      ? expected.version === version
      : last !== 'never' && last.is(version)
  if (!isExpected || conflicts.length > 0) throw changedSince(label)
  return current
}

async function writeFrom(
  at: string,
  {
    capability,
    label,
    ifVersion,
  }: { capability: MutableWriteCapability; label: string; ifVersion: FileVersion | undefined },
  { client, terminal, signal }: Tools,
): Promise<WrittenFile> {
  await using opened = await openSource(at)
  const progress = await openProgress(terminal, { label: `Putting ${label}`, clock: systemClock })
  const totals = new Totals(progress)
  totals.expect(opened.sizeBytes)
  try {
    const chunks = totals.counting(opened.chunks)
    return await client.mutableFiles.write(capability, chunks, { ifVersion, signal })
  } finally {
    progress.stop()
  }
}

function report(
  { version: { sizeBytes }, durability, sentBytes }: WrittenFile,
  { label, version }: { label: string; version: string },
  terminal: Terminal,
): void {
  const isDegraded = durability === 'degraded'
  if (terminal.json) {
    const health = isDegraded ? 'degraded' : 'healthy'
    const unchanged = durability === 'unchanged'
    terminal.value({
      place: label,
      size: sizeBytes,
      version,
      unchanged,
      health,
      sentBytes,
      conflicts: [],
    })
    return
  }
  terminal.note(
    durability === 'unchanged'
      ? `${label} has that content already.`
      : `${label}: ${formatBytes(sizeBytes)}`,
  )
  if (isDegraded) {
    terminal.note(
      `${label}: stored, but so far on few storage nodes. It is brought to more when they are back.`,
    )
  }
}
