import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Stream } from '@libp2p/interface'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { concatBytes } from '../../src/foundation/bytes.ts'
import { systemClock } from '../../src/foundation/system.ts'
import { dialAddresses, startHost, storeProtocol, type Host } from '../../src/network/host.ts'
import { Gate } from '../../src/network/membership/gate.ts'
import { MAX_STREAMS_PER_PEER } from '../../src/network/limits.ts'
import { encodeRequest } from '../../src/protocol/codec.ts'
import { frameBytes } from '../../src/protocol/framing.ts'
import { testBlock } from '../support/blocks.ts'
import { TestGrid, until } from './grid.ts'

/** More than a node at work takes, and far less than what the attacks below would fill if nothing bounded them. */
const MOST_RESIDENT_BYTES = 450 * 1024 * 1024

let grid: TestGrid
/** A libp2p host with the key of a member, node-03, that follows none of the rules. */
let attacker: Host
let gridId: Uint8Array
let file: string
let capability: string

beforeAll(async () => {
  grid = await TestGrid.start(3)
  file = join(grid.dir, 'file')
  await writeFile(file, Buffer.alloc(1_500_000, 9))
  ;({ capability } = await grid.put(file))
  await grid.stopNodes(['node-03'])
  const home = join(grid.dir, 'node-03')
  const about = JSON.parse(await readFile(join(home, 'grid.json'), 'utf8')) as { gridId: string }
  gridId = new Uint8Array(Buffer.from(about.gridId, 'hex'))
  const gate = { isMember: () => true, joinProtocol: undefined, clock: systemClock }
  attacker = await startHost({
    identity: new Uint8Array(await readFile(join(home, 'identity.key'))),
    gridId,
    listen: [],
    servesDht: false,
    gate: new Gate(gate),
    clock: systemClock,
  })
})
afterAll(async () => {
  await attacker.stop()
  await grid.end()
})

const victim = () => grid.nodes[0]!

async function openStream(): Promise<Stream> {
  const connection = await dialAddresses(attacker, victim().addresses, new AbortController().signal)
  const stream = await connection.newStream([storeProtocol(gridId)])
  opened.push(stream)
  return stream
}

/** Of the test that runs. */
const opened: Stream[] = []
afterEach(() => {
  for (const stream of opened.splice(0)) stream.abort(new Error('done'))
})

/** Sends as fast as the node reads, until it has taken so much, does not take more for a while, or ends the stream. */
async function pour(stream: Stream, piece: Uint8Array, mostBytes: number): Promise<number> {
  let sent = 0
  while (stream.status === 'open' && sent < mostBytes) {
    sent += piece.length
    if (stream.send(piece)) continue
    const drained = new Promise((resolve) => {
      stream.addEventListener('drain', () => resolve(true), { once: true })
      stream.addEventListener('close', () => resolve(false), { once: true })
      systemClock.after(1000, () => resolve(false))
    })
    if (!(await drained)) break
  }
  return sent
}

async function residentBytes(): Promise<number> {
  const status = await readFile(`/proc/${victim().pid}/status`, 'utf8').catch(() => undefined)
  return Number(/VmRSS:\s+(\d+) kB/.exec(status ?? '')?.[1] ?? 0) * 1024
}

/** Others read from the node and write to it, and it has not grown. */
async function stillServes(): Promise<void> {
  const run = await grid.run(['get', capability])
  expect(run.bytes.equals(await readFile(file))).toBe(true)
  expect(await residentBytes()).toBeLessThan(MOST_RESIDENT_BYTES)
}

describe('a node serves others, in bounded memory, while a member', () => {
  it('opens one stream after another', async () => {
    let ended = 0
    const attempts = Array.from({ length: 60 }, async () => {
      const stream = await openStream()
      if (stream.status !== 'open') ended++
      else stream.addEventListener('close', () => ended++)
    })
    await Promise.allSettled(attempts.map(async (each) => await each.catch(() => ended++)))
    await until(() => Promise.resolve(ended >= 60 - MAX_STREAMS_PER_PEER))
    await stillServes()
  })

  it('begins PUTs that it never finishes', async () => {
    const { manifest, shards } = testBlock(1, { required: 1, total: 1, ciphertextBytes: 1_000_000 })
    const put = { op: 'put', manifest, index: 0, leaseS: 9, shard: shards[0]! } as const
    const bytes = frameBytes(1, encodeRequest(put))
    for (let at = 0; at < MAX_STREAMS_PER_PEER; at++) {
      await pour(await openStream(), bytes.subarray(0, -1), 1)
    }
    await stillServes()
  })

  it('asks for half a gigabyte and reads nothing of it', async () => {
    const { id, manifest, shards } = testBlock(2, {
      required: 1,
      total: 1,
      ciphertextBytes: 1_000_000,
    })
    const writer = await openStream()
    const answered = new Promise((resolve) => {
      writer.addEventListener('message', resolve, { once: true })
    })
    const put = { op: 'put', manifest, index: 0, leaseS: 9, shard: shards[0]! } as const
    writer.send(frameBytes(1, encodeRequest(put)))
    await answered
    const reader = await openStream()
    reader.pause()
    const gets = Array.from({ length: 500 }, (_, at) =>
      frameBytes(at, encodeRequest({ op: 'get', id })),
    )
    // Some megabytes of replies fit the windows; then the node serves this stream no further.
    await pour(reader, concatBytes(gets), 1)
    await stillServes()
  })

  it('floods it with bytes that are no requests', async () => {
    const garbage = frameBytes(7, { header: new Uint8Array(60_000).fill(0xff), body: [] })
    await pour(await openStream(), garbage, 60_000_000)
    await stillServes()
  })
})
