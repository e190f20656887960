import { mkdir } from 'node:fs/promises'
import { careRows } from './care-rows.ts'
import { FarGrid, ROUND_TRIP_MS, SLOW_LINE, USUAL_LINE, type HouseLine } from './far-grid.ts'
import { joinRow, lookupRows, transferRows } from './line-rows.ts'
import { networkRow, type NetworkRow } from './row.ts'

const FAR = `${ROUND_TRIP_MS} ms away`

const JOIN = `join to first stored file, ${FAR}`
const TRANSFERS = transfersOver(USUAL_LINE)
const SLOW_TRANSFERS = transfersOver(SLOW_LINE)
const LOOKUPS = {
  dht: `find a member by the DHT, ${FAR}`,
  statements: `find a member by statements, ${FAR}`,
}
const CARE = {
  audit: 'audit of one share',
  repair: 'repair of one lost share, reading',
  month: 'care a month, of 1 GB kept',
}

function transfersOver({ upMbit, downMbit }: HouseLine): { upload: string; download: string } {
  return {
    upload: `upload, ${upMbit} Mbit/s, ${FAR}`,
    download: `download, ${downMbit} Mbit/s, ${FAR}`,
  }
}

export interface NetworkSuiteOptions {
  readonly isWanted: (name: string) => boolean
  readonly quick: boolean
  readonly dir: string
  readonly signal: AbortSignal
}

/** The rows on a line as people have it, and what care costs there. What this machine does not allow says so. */
export async function networkRows(options: NetworkSuiteOptions): Promise<NetworkRow[]> {
  const { isWanted, quick, signal } = options
  const isAnyWanted = (names: Readonly<Record<string, string>>): boolean =>
    Object.values(names).some(isWanted)
  const rows: NetworkRow[] = []
  const far = [JOIN, LOOKUPS, TRANSFERS, SLOW_TRANSFERS]
    .flatMap((names) => (typeof names === 'string' ? names : Object.values<string>(names)))
    .filter(isWanted)
  if (far.length > 0) rows.push(...(await farRows(far, options)))
  signal.throwIfAborted()
  if (isAnyWanted(CARE)) rows.push(...(await careRows(CARE, { fileMib: quick ? 8 : 96 })))
  return rows.filter(({ name }) => isWanted(name))

  async function farRows(
    names: readonly string[],
    { dir }: Pick<NetworkSuiteOptions, 'dir'>,
  ): Promise<NetworkRow[]> {
    const obstacle = await FarGrid.obstacle()
    if (obstacle !== undefined) {
      const detail = `not measured: ${obstacle}`
      return names.map((name) => networkRow({ name, value: undefined, unit: 's', detail }))
    }
    await mkdir(dir, { recursive: true })
    await using grid = await FarGrid.start(dir)
    const place = { grid, dir, signal, fileBytes: (quick ? 4 : 64) * 2 ** 20 }
    const measured: NetworkRow[] = []
    if (isWanted(JOIN)) measured.push(await joinRow(JOIN, place))
    if (isAnyWanted(LOOKUPS)) measured.push(...(await lookupRows(LOOKUPS, place)))
    if (isAnyWanted(TRANSFERS)) {
      measured.push(...(await transferRows(TRANSFERS, { ...place, line: USUAL_LINE })))
    }
    if (isAnyWanted(SLOW_TRANSFERS)) {
      const slow = { ...place, line: SLOW_LINE, fileBytes: (quick ? 1 : 4) * 2 ** 20 }
      measured.push(...(await transferRows(SLOW_TRANSFERS, slow)))
    }
    return measured
  }
}
