import { formatCapability } from '../../capabilities/text.ts'
import type { ErasureCode } from '../../erasure/code.ts'
import { mapConcurrently, Semaphore } from '../../foundation/concurrency.ts'
import { systemClock } from '../../foundation/system.ts'
import type { PutResult } from '../../grid/upload-tally.ts'
import type { Client } from '../../library/client.ts'
import { openOwnClient } from '../own-home.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { failureOf, InterruptedError, naming, usageError, type Failure } from '../failures.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { openProgress } from '../progress.ts'
import { openSource, STANDARD_INPUT } from '../source.ts'
import { Totals } from '../totals.ts'
import { count, formatBytes, type Terminal } from '../terminal.ts'

export interface PutRequest {
  readonly files: readonly string[]
  readonly code?: ErasureCode | undefined
  readonly randomKey: boolean
}

/** Small files wait for the disks of their nodes, not for bytes: many at once share one commit there. */
const FILES_AT_ONCE = 32
/** Bytes of files in flight: large ones fill the pipeline one by one, and together would only need more memory. */
const BYTES_AT_ONCE = 8 * 1024 * 1024
/** What a file costs besides its bytes, so that even empty ones are bounded. */
const FILE_OVERHEAD_BYTES = 4096

type Outcome =
  | { readonly kind: 'stored'; readonly file: string; readonly result: PutResult }
  | { readonly kind: 'failed'; readonly file: string; readonly failure: Failure }

/** Stores files and prints the capability of each, in the order given; one that fails does not hold up the others. */
export async function put(
  request: PutRequest,
  { files, terminal, signal }: { files: HomeFiles; terminal: Terminal; signal: AbortSignal },
): Promise<ExitCode> {
  if (request.files.filter((file) => file === STANDARD_INPUT).length > 1) {
    throw usageError('Standard input, "-", can be put only once.')
  }
  const outcomes = await storeAll(request, { files, terminal, signal })
  const stored = outcomes.filter((outcome) => outcome.kind === 'stored')
  report(stored, terminal)
  const failed = outcomes.filter((outcome) => outcome.kind === 'failed')
  for (const { failure } of failed) terminal.failure(failure)
  const first = failed[0]
  if (first === undefined) return EXIT.ok
  return stored.length > 0 ? EXIT.degraded : first.failure.exit
}

async function storeAll(
  request: PutRequest,
  { files, terminal, signal }: { files: HomeFiles; terminal: Terminal; signal: AbortSignal },
): Promise<Outcome[]> {
  // A file that cannot be opened is told before a grid is looked for.
  const only = request.files[0]
  if (request.files.length === 1 && only !== undefined)
    await (await openSource(only))[Symbol.asyncDispose]()
  await using client = await openOwnClient(files, signal)
  const label =
    only !== undefined && request.files.length === 1 ? only : count(request.files.length, 'file')
  const progress = await openProgress(terminal, { label: `Putting ${label}`, clock: systemClock })
  const totals = new Totals(progress)
  const bytes = new Semaphore(BYTES_AT_ONCE)
  try {
    return await mapConcurrently(request.files, FILES_AT_ONCE, async (file) => {
      return await storeOne(file, { request, client, totals, bytes, signal })
    })
  } finally {
    progress.stop()
  }
}

async function storeOne(
  file: string,
  context: {
    readonly request: PutRequest
    readonly client: Client
    readonly totals: Totals
    readonly bytes: Semaphore
    readonly signal: AbortSignal
  },
): Promise<Outcome> {
  const { request, client, totals, bytes, signal } = context
  try {
    await using source = await openSource(file)
    totals.expect(source.sizeBytes)
    const release = await bytes.acquire(
      FILE_OVERHEAD_BYTES + (source.sizeBytes ?? BYTES_AT_ONCE),
      signal,
    )
    try {
      const result = await client.grid.put(totals.counting(source.chunks), {
        ...(request.code === undefined ? {} : { code: request.code }),
        randomKey: request.randomKey,
        signal,
      })
      return { kind: 'stored', file, result }
    } finally {
      release()
    }
  } catch (thrown) {
    if (signal.aborted || thrown instanceof InterruptedError) throw thrown
    const failure = failureOf(thrown)
    if (failure.exit === EXIT.internal) throw thrown
    return { kind: 'failed', file, failure: naming(file, failure) }
  }
}

function report(stored: readonly (Outcome & { kind: 'stored' })[], terminal: Terminal): void {
  if (terminal.json) {
    terminal.value(stored.map(({ file, result }) => describeStored(file, result)))
    return
  }
  for (const { file, result } of stored) {
    terminal.line(`${formatCapability(result.capability)}  ${file}`)
  }
  const degraded = stored.filter(({ result }) => result.health === 'degraded')
  if (degraded.length > 0) {
    terminal.note(
      `Stored, but with fewer shares than asked for: ${count(degraded.length, 'file')}. ` +
        'When more nodes are back, "hayloft repair" makes the missing ones.',
    )
  }
  if (stored.length > 1) {
    const sum = stored.reduce((total, { result }) => total + result.sizeBytes, 0)
    terminal.note(`Stored ${count(stored.length, 'file')}, ${formatBytes(sum)}.`)
  }
}

function describeStored(file: string, result: PutResult): object {
  // A literal is its own content: no node is needed to bring it back, and none keeps a share.
  const isLiteral = result.capability.kind === 'literal'
  return {
    file,
    capability: formatCapability(result.capability),
    size: result.sizeBytes,
    shares: isLiteral
      ? { required: 0, total: 0 }
      : { required: result.code.required, total: result.code.total },
    health: result.health,
    sentBytes: result.sentBytes,
  }
}
