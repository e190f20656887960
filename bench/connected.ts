import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { parseCapability } from '../src/capabilities/text.ts'
import { openClient } from '../src/library/client.ts'
import { homeFiles } from '../src/home/layout.ts'
import { openHome } from '../src/home/opened-home.ts'
import { systemClock } from '../src/foundation/system.ts'

/**
 * Reads a range again and again over connections that stay open, with the library as the commands use it, and leaves
 * out the first read, which connects.
 * @returns seconds of each read, and what this process spent on it
 */
export async function measureConnectedRange(
  home: string,
  {
    capabilityPath,
    offset,
    length,
    reads,
    signal,
  }: {
    capabilityPath: string
    offset: number
    length: number
    reads: number
    signal: AbortSignal
  },
): Promise<{ wallS: number; cpuS: number }[]> {
  const capability = parseCapability((await readFile(capabilityPath, 'utf8')).trim())
  if (capability.kind !== 'file-read') throw new Error('a range is read from a stored file')
  await using client = await openClient(openHome(homeFiles(home), noPassphrase), signal)
  const measured: { wallS: number; cpuS: number }[] = []
  for (let read = 0; read <= reads; read++) {
    const startMs = systemClock.monotonicMs()
    const before = process.cpuUsage()
    // A little further on each time, into other blocks too.
    const range = { offset: offset + read * STEP_BYTES, length }
    const { chunks } = await client.grid.get(capability, { range, signal })
    let received = 0
    for await (const chunk of chunks) received += chunk.length
    if (received !== length) throw new Error(`a range of ${length} bytes came back as ${received}`)
    const { user, system } = process.cpuUsage(before)
    const wallS = (systemClock.monotonicMs() - startMs) / 1000
    if (read > 0) measured.push({ wallS, cpuS: (user + system) / 1e6 })
  }
  return measured
}

const STEP_BYTES = 50_000

async function noPassphrase(): Promise<never> {
  return await Promise.reject(new Error('the homes of practice grids have no passphrase'))
}
