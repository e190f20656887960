import type {
  MutableReadCapability,
  MutableWriteCapability,
} from '../../capabilities/capability.ts'
import type { WrittenFile } from '../../grid/mutable/files.ts'
import type { FileVersion } from '../../grid/mutable/version.ts'
import type { Client } from '../../library/client.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { TimeArgument } from '../folders/times.ts'

interface Tools {
  readonly client: Client
  readonly signal: AbortSignal
}

/** What a file that changes is and was, the newest first; contents that were written at once one after another. */
export async function* mutableVersions(
  capability: MutableReadCapability | MutableWriteCapability,
  { client: { mutableFiles }, signal }: Tools,
): AsyncGenerator<FileVersion> {
  const { current, conflicts } = await mutableFiles.look(capability, { signal })
  yield* [current, ...conflicts]
  yield* mutableFiles.history(capability, { signal })
}

/** Gives it a content again that it had. Nothing that is still there is sent. @throws CliError if there is none such */
export async function restoreMutable(
  capability: MutableWriteCapability,
  { at, label }: { readonly at: TimeArgument; readonly label: string },
  tools: Tools,
): Promise<WrittenFile & { readonly timeMs: number }> {
  const { client, signal } = tools
  let index = 0
  for await (const version of mutableVersions(capability, tools)) {
    const isMeant = at.kind === 'index' ? index === at.index : version.modifiedMs <= at.timeMs
    index += 1
    if (!isMeant) continue
    const { chunks } = await client.mutableFiles.read(version, { signal })
    const written = await client.mutableFiles.write(capability, chunks, { signal })
    return { ...written, timeMs: version.modifiedMs }
  }
  throw new CliError({
    exit: EXIT.inputMissing,
    code: 'no-state-then',
    message:
      at.kind === 'index'
        ? `The history of ${label} has no number ${at.index}: its last is ${index - 1}.`
        : `The history of ${label} does not go back so far.`,
  })
}
