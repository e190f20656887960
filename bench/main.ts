import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { buildIfNeeded } from './build.ts'
import { benchErasure } from './erasure.ts'
import { FolderSuite } from './folder-suite.ts'
import { describeMachine } from './machine.ts'
import { isWanted, parseOptions, type BenchOptions } from './options.ts'
import { PracticeGrid } from './practice-grid.ts'
import { measurePrimitives, type Primitives } from './primitives.ts'
import { Report } from './report.ts'
import { measureSealing } from './sealing.ts'
import { networkRows } from './network/suite.ts'
import { rowsAt } from './rows.ts'
import { BLOCK_BYTES, FULL_SCALE, QUICK_SCALE, SMALL_FILE_BYTES } from './scale.ts'
import { Suite } from './suite.ts'
import { TreeSuite } from './tree-suite.ts'

/** Measures Hayloft on a practice grid of its own, made for the purpose and gone afterwards, also after Ctrl-C. */
async function main(): Promise<void> {
  const options = parseOptions()
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      interrupted.abort(new Interrupted(signal))
    })
  }
  await buildIfNeeded()
  const dir = await mkdtemp(join(options.dir, 'hayloft-bench-'))
  try {
    await measureAll(dir, options, interrupted.signal)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

class Interrupted extends Error {
  constructor(signal: NodeJS.Signals) {
    super(`Interrupted by ${signal}; everything that was started has been stopped.`)
  }
}

async function measureAll(dir: string, options: BenchOptions, signal: AbortSignal): Promise<void> {
  const report = new Report(options, await describeMachine(dir))
  await measureOperations(dir, { options, report, signal })
  signal.throwIfAborted()
  for (const row of await networkRows({
    isWanted: (name) => isWanted(name, options) || isWanted('network', options),
    quick: options.quick,
    dir: join(dir, 'network'),
    signal,
  })) {
    report.network(row)
  }
  signal.throwIfAborted()
  // Last, when the nodes have ended: these run on one core and tell what it can do.
  if (isWanted('erasure', options)) {
    report.erasure(benchErasure(options.quick ? { rounds: 1, roundMs: 10 } : undefined))
  }
  signal.throwIfAborted()
  if (isWanted('sealing', options)) {
    report.sealing(await measureSealing(options.quick ? { timeMs: 30 } : {}))
  }
  report.finish()
}

async function measureOperations(
  dir: string,
  { options, report, signal }: { options: BenchOptions; report: Report; signal: AbortSignal },
): Promise<void> {
  const scale = options.quick ? QUICK_SCALE : FULL_SCALE
  const rows = rowsAt(scale).filter(({ name }) => isWanted(name, options))
  if (rows.length === 0 && !isWanted('primitives', options)) return

  const primitives = await measureBoth(dir, options, signal)
  report.primitives(primitives)
  if (rows.length === 0) return

  await using grid = await PracticeGrid.start(join(dir, 'grid'), signal)
  const files = new Suite({ grid, scale, primitives, dir, signal })
  const folders = new FolderSuite(grid, signal)
  const trees = new TreeSuite(grid, dir)
  for (const { measure } of rows) report.row(await measure({ files, folders, trees }))
}

async function measureBoth(
  dir: string,
  { quick }: BenchOptions,
  signal: AbortSignal,
): Promise<{ large: Primitives; small: Primitives }> {
  const largeVolume = (quick ? 16 : 128) * 2 ** 20
  const smallVolume = (quick ? 1 : 8) * 2 ** 20
  return {
    large: await measurePrimitives(BLOCK_BYTES, { volumeBytes: largeVolume, dir, signal }),
    small: await measurePrimitives(SMALL_FILE_BYTES, { volumeBytes: smallVolume, dir, signal }),
  }
}

try {
  await main()
} catch (thrown) {
  console.error(thrown instanceof Interrupted ? thrown.message : thrown)
  process.exitCode = 1
}
