import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { requireSame, writeSample } from '../samples.ts'
import { median } from '../statistics.ts'
import { ROUND_TRIP_MS, type FarGrid, type HouseLine } from './far-grid.ts'
import type { Found } from './find-member.ts'
import { networkRow, type NetworkRow } from './row.ts'

const JOIN_BYTES = 100_000

/** Where a row is measured. */
export interface Place {
  readonly grid: FarGrid
  readonly dir: string
  readonly fileBytes: number
  readonly signal: AbortSignal
}

/** Newcomers with a word in a file: `grid join` and the `put` of 100 kB, both processes from start to end. */
export async function joinRow(
  name: string,
  { grid, dir, signal }: Pick<Place, 'grid' | 'dir' | 'signal'>,
): Promise<NetworkRow> {
  const each: { readonly joinS: number; readonly putS: number }[] = []
  for (let at = 1; at <= NEWCOMERS; at++) {
    const home = join(dir, `newcomer-${at}`)
    const [word, file] = [join(dir, `word-${at}`), join(dir, `first-file-${at}`)]
    await writeFile(word, await grid.invite(), { mode: 0o600 })
    await writeSample(file, JOIN_BYTES)
    const called = ['--as', `Newcomer ${at}`]
    const joined = await grid.hayloft(home, ['grid', 'join', `@${word}`, ...called], signal)
    const put = await grid.hayloft(home, ['put', file, '--json'], signal)
    each.push({ joinS: joined.wallS, putS: put.wallS })
  }
  const runs = each.map(({ joinS, putS }) => `${joinS.toFixed(2)} + ${putS.toFixed(2)}`)
  const value = Math.max(...each.map(({ joinS, putS }) => joinS + putS))
  const detail = `the slowest of ${NEWCOMERS} newcomers; join + put: ${runs.join(', ')} s`
  return networkRow({ name, value, unit: 's', detail }, { text: '≤ 10 s', atMost: 10 })
}

const NEWCOMERS = 3

/** What reaches the other end of the line as parts of the file's shares, of what bare TCP gets through it. */
export async function transferRows(
  names: { readonly upload: string; readonly download: string },
  { grid, dir, fileBytes, line, signal }: Place & { readonly line: HouseLine },
): Promise<NetworkRow[]> {
  await grid.changeLine(line)
  const bare = {
    up: await grid.bareRate('up', (line.upMbit / 8) * 1e6 * BARE_S, signal),
    down: await grid.bareRate('down', (line.downMbit / 8) * 1e6 * BARE_S, signal),
  }
  const [path, back] = [join(dir, 'sample'), join(dir, 'sample-back')]
  await writeSample(path, fileBytes)
  const home = grid.homeOf('client')

  const up = await onWire(
    grid,
    async () => await grid.hayloft(home, ['put', path, '--json'], signal),
  )
  const [stored] = JSON.parse(up.stdout) as [{ capability: string; sentBytes: number }]
  const capability = `${path}.capability`
  await writeFile(capability, stored.capability, { mode: 0o600 })
  const get = ['get', `@${capability}`, '-o', back, '--json']
  const down = await onWire(grid, async () => await grid.hayloft(home, get, signal))
  await requireSame(path, back)
  await rm(back)
  return [
    shareRow(names.upload, { ...up, wire: up.up, bytes: stored.sentBytes, bare: bare.up }),
    shareRow(names.download, { ...down, wire: down.down, bytes: fileBytes, bare: bare.down }),
  ]
}

/** Long enough for TCP to have found the line's speed, many times over. */
const BARE_S = 8

interface Measured {
  readonly wallS: number
  readonly stdout: string
}

async function onWire(
  grid: FarGrid,
  work: () => Promise<Measured>,
): Promise<Measured & { up: number; down: number }> {
  const before = await grid.bytesOnWire()
  const result = await work()
  const after = await grid.bytesOnWire()
  return { ...result, up: after.up - before.up, down: after.down - before.down }
}

function shareRow(
  name: string,
  { wallS, wire, bytes, bare }: { wallS: number; wire: number; bytes: number; bare: number },
): NetworkRow {
  const detail =
    `${mb(bytes)} of shares in ${wallS.toFixed(1)} s, ${mb(wire)} on the wire; ` +
    `bare TCP ${((bare * 8) / 1e6).toFixed(1)} Mbit/s`
  return networkRow(
    { name, value: (100 * bytes) / wallS / bare, unit: '%', detail },
    { text: '≥ 80 % of the line', atLeast: 80 },
  )
}

/** Finding members whose addresses are not known, beside dialling one whose address is. */
export async function lookupRows(
  names: { readonly dht: string; readonly statements: string },
  { grid, signal }: Pick<Place, 'grid' | 'signal'>,
): Promise<NetworkRow[]> {
  const printed = await grid.script('find-member.ts', [grid.homeOf('finder')], signal)
  const found = JSON.parse(printed) as Found[]
  const known = median(found.map(({ knownS }) => knownS * 1000))
  const row = (name: string, each: readonly number[]): NetworkRow => {
    const [least, most] = [Math.min(...each), Math.max(...each)].map((ms) => ms.toFixed(0))
    const detail =
      `${each.length} members, ${least}–${most} ms; ` +
      `with a known address ${known.toFixed(0)} ms, a round trip ${ROUND_TRIP_MS} ms`
    return networkRow({ name, value: median([...each]), unit: 'ms', detail })
  }
  return [
    row(
      names.dht,
      found.map(({ dhtS }) => dhtS * 1000),
    ),
    row(
      names.statements,
      found.map(({ statementsS }) => statementsS * 1000),
    ),
  ]
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
