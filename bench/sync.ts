import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { sleep } from '../src/foundation/clock.ts'
import { systemClock } from '../src/foundation/system.ts'
import { withUsage } from '../simulations/usage.ts'
import { buildIfNeeded } from './build.ts'
import { runHayloft } from './command.ts'
import { PracticeGrid } from './practice-grid.ts'
import { cpuSecondsOf } from './process-usage.ts'
import { writeSample } from './samples.ts'
import { scanSeconds } from './sync-scan.ts'

/**
 * What syncing takes between two daemons through ten nodes, all on this machine: `npm run bench-sync`. Each row is from the
 * change on one side to the same on the other, with the processor time of both daemons and of the nodes, and the bytes that
 * nodes took in. `--only large`, `small`, `edits` or `scan` measures these rows alone, `--files` says how many small files there are;
 * `--profile` has both daemons leave CPU profiles in a directory.
 */
const { values } = withUsage(
  'npm run bench-sync -- [--quick] [--only large|small|edits|scan] [--files N] [--profile DIR]',
  () =>
    parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        files: { type: 'string' },
        profile: { type: 'string' },
      },
    }),
)
const LARGE_BYTES = values.quick ? 32 * 2 ** 20 : 2 ** 30
const MANY = Number(values.files ?? (values.quick ? 500 : 10_000))
const SCANNED = values.quick ? 2_000 : 50_000
const EDITS = values.quick ? 5 : 30
const TIMEOUT_MS = 20 * 60_000
const POLL_MS = 20

class Device {
  readonly home: string
  readonly root: string
  #daemon: ChildProcess | undefined

  constructor(home: string, root: string) {
    this.home = home
    this.root = root
  }

  async start(): Promise<void> {
    await mkdir(this.root, { recursive: true })
    await runHayloft(['sync', 'add', this.root, 'home:bench'], { home: this.home })
    const program = new URL('../bin/hayloft.js', import.meta.url).pathname
    const env = { ...process.env, HAYLOFT_HOME: this.home }
    const { profile } = values
    const options = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
    this.#daemon = spawn(process.execPath, [...options, program, 'start'], { env, stdio: 'ignore' })
    await this.settled()
  }

  async settled(): Promise<void> {
    await runHayloft(['sync', 'status', '--wait'], { home: this.home, accept: [1] })
  }

  async cpuS(): Promise<number> {
    return (await cpuSecondsOf(this.#daemon?.pid ?? 0)) ?? NaN
  }

  async stop(): Promise<void> {
    const daemon = this.#daemon
    if (daemon === undefined || daemon.exitCode !== null) return
    const ended = once(daemon, 'exit')
    daemon.kill('SIGTERM')
    await ended
  }
}

interface Bench {
  readonly from: Device
  readonly to: Device
  readonly grid: PracticeGrid
  readonly signal: AbortSignal
}

interface Step {
  readonly of: 'large' | 'small'
  readonly name: string
  readonly change: (from: Device) => Promise<void>
  readonly isThere: (to: Device) => Promise<boolean>
}

const STEPS: readonly Step[] = [
  {
    of: 'large',
    name: `${LARGE_BYTES / 2 ** 20} MiB new`,
    change: async ({ root }) => {
      await writeSample(`${root} sample`, LARGE_BYTES)
      await rename(`${root} sample`, join(root, 'large'))
    },
    isThere: async ({ root }) => (await sizeOf(join(root, 'large'))) === LARGE_BYTES,
  },
  {
    of: 'large',
    name: '1 MiB edit inside it',
    change: async ({ root }) => {
      const file = await open(join(root, 'large'), 'r+')
      await file.write(Buffer.alloc(2 ** 20, 7), 0, 2 ** 20, LARGE_BYTES / 2)
      await file.close()
    },
    isThere: async ({ root }) => await hasByteAt(join(root, 'large'), LARGE_BYTES / 2, 7),
  },
  {
    of: 'large',
    name: 'rename it',
    change: async ({ root }) => await rename(join(root, 'large'), join(root, 'renamed')),
    isThere: async ({ root }) => (await sizeOf(join(root, 'renamed'))) === LARGE_BYTES,
  },
  {
    of: 'small',
    name: `${MANY} × 4 KiB`,
    change: async ({ root }) => {
      await mkdir(join(root, 'many'))
      for (let file = 0; file < MANY; file++) {
        await writeSample(join(root, 'many', `${file}`), 4096)
      }
    },
    isThere: async ({ root }) => (await countIn(join(root, 'many'))) === MANY,
  },
  {
    of: 'small',
    name: `rename a directory of ${MANY}`,
    change: async ({ root }) => await rename(join(root, 'many'), join(root, 'moved')),
    isThere: async ({ root }) => (await countIn(join(root, 'moved'))) === MANY,
  },
  {
    of: 'small',
    name: `delete ${MANY}`,
    change: async (from) => {
      await rm(join(from.root, 'moved'), { recursive: true })
      await runHayloft(['sync', 'resume', '--allow-removals'], { home: from.home })
    },
    isThere: async ({ root }) => (await countIn(join(root, 'moved'))) === 0,
  },
]

async function main(): Promise<void> {
  await buildIfNeeded()
  if (values.only === 'scan') {
    await measureScan()
    return
  }
  const dir = await mkdtemp(join(tmpdir(), 'hayloft-bench-sync-'))
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const)
    process.once(name, () => stop.abort(new Error('Interrupted.')))
  const devices: Device[] = []
  try {
    await using grid = await PracticeGrid.start(join(dir, 'grid'), stop.signal)
    const from = new Device(grid.clientHome, join(dir, 'from'))
    const to = new Device(join(dir, 'second home'), join(dir, 'to'))
    devices.push(from, to)
    const added = await runHayloft(['device', 'add', '--json'], { home: from.home })
    await writeFile(join(dir, 'word'), (JSON.parse(added.stdout) as { word: string }).word)
    await runHayloft(['grid', 'join', `@${join(dir, 'word')}`], { home: to.home })
    for (const device of devices) await device.start()
    const bench = { from, to, grid, signal: stop.signal }
    console.log(
      '| step | wall | processor time of both daemons | of the nodes | bytes on the nodes |\n|---|---|---|---|---|',
    )
    for (const step of STEPS) if (isWanted(step.of)) await measure(step, bench)
    if (isWanted('edits')) await measureEdits(bench)
    if (isWanted('scan')) await measureScan()
  } finally {
    for (const device of devices) await device.stop()
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function measure(
  { name, change, isThere }: Step,
  { from, to, grid, signal }: Bench,
): Promise<void> {
  for (const device of [from, to]) await device.settled()
  const [cpuBefore, bytesBefore] = [await cpuOf(from, to), await bytesIn(grid.nodeHomes)]
  const { result: wallS, nodesCpuS = NaN } = await grid.measureNodes(async () => {
    const startMs = systemClock.monotonicMs()
    await change(from)
    await untilThere(async () => await isThere(to), signal)
    const endMs = systemClock.monotonicMs()
    for (const device of [from, to]) await device.settled()
    return (endMs - startMs) / 1000
  })
  const cpuS = (await cpuOf(from, to)) - cpuBefore
  const bytes = (await bytesIn(grid.nodeHomes)) - bytesBefore
  console.log(
    `| ${name} | ${wallS.toFixed(1)} s | ${cpuS.toFixed(1)} s | ${nodesCpuS.toFixed(1)} s | ${(bytes / 1e6).toFixed(1)} MB |`,
  )
}

function isWanted(rows: string): boolean {
  return values.only === undefined || values.only === rows
}

async function measureScan(): Promise<void> {
  const seconds = await scanSeconds(SCANNED)
  console.log(`| look at ${SCANNED} unchanged files | | ${seconds.toFixed(2)} s | | |`)
}

async function measureEdits({ from, to, signal }: Bench): Promise<void> {
  const walls: number[] = []
  for (let edit = 0; edit < EDITS; edit++) {
    for (const device of [from, to]) await device.settled()
    const startMs = systemClock.monotonicMs()
    await writeFile(join(from.root, 'note'), `edit ${edit}`)
    await untilThere(async () => (await textOf(join(to.root, 'note'))) === `edit ${edit}`, signal)
    walls.push((systemClock.monotonicMs() - startMs) / 1000)
  }
  walls.sort((a, b) => a - b)
  const at = (share: number): string =>
    (walls[Math.floor(share * (walls.length - 1))] ?? 0).toFixed(2)
  console.log(`| edit to visible, p50 / p95 | ${at(0.5)} s / ${at(0.95)} s | | | |`)
}

async function untilThere(check: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  const endMs = systemClock.monotonicMs() + TIMEOUT_MS
  while (!(await check())) {
    if (systemClock.monotonicMs() > endMs) throw new Error('It does not come over.')
    await sleep(systemClock, POLL_MS, signal)
  }
}

async function cpuOf(...devices: readonly Device[]): Promise<number> {
  const all = await Promise.all(devices.map(async (device) => await device.cpuS()))
  return all.reduce((sum, each) => sum + each, 0)
}

async function bytesIn(dirs: readonly string[]): Promise<number> {
  let bytes = 0
  for (const dir of dirs) {
    for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) bytes += (await sizeOf(join(entry.parentPath, entry.name))) ?? 0
    }
  }
  return bytes
}

async function sizeOf(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ size }) => size,
    () => undefined,
  )
}

async function textOf(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch(() => undefined)
}

async function countIn(path: string): Promise<number> {
  return (await readdir(path).catch(() => [])).length
}

async function hasByteAt(path: string, position: number, byte: number): Promise<boolean> {
  const file = await open(path, 'r').catch(() => undefined)
  if (file === undefined) return false
  try {
    const bytes = new Uint8Array(1)
    await file.read(bytes, 0, 1, position)
    return bytes[0] === byte
  } finally {
    await file.close()
  }
}

await main()
