import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toRead, toVerify, type FolderWriteCapability } from '../../src/capabilities/capability.ts'
import { slotKeyOf, slotWriteKey, slotWriteKeys } from '../../src/capabilities/slot-keys.ts'
import { parseCapability } from '../../src/capabilities/text.ts'
import { concatBytes, equalBytes, fromHex } from '../../src/foundation/bytes.ts'
import { assert } from '../../src/foundation/error.ts'
import { systemClock, systemRandomness } from '../../src/foundation/system.ts'
import { sealRecord } from '../../src/grid/slots/seal.ts'
import { dialAddresses, startHost, storeProtocol, type Host } from '../../src/network/host.ts'
import { Gate } from '../../src/network/membership/gate.ts'
import { decodeReply, encodeRequest, type WireMessage } from '../../src/protocol/codec.ts'
import { frameBytes, FrameReader, type Frame } from '../../src/protocol/framing.ts'
import type { Op, ReplyOf } from '../../src/protocol/messages.ts'
import type { Refusal } from '../../src/protocol/network.ts'
import { decodeSlotRecord } from '../../src/protocol/slot-record.ts'
import type { TagHex } from '../../src/protocol/version-vector.ts'
import { TestGrid, type NodeJson } from './grid.ts'

let grid: TestGrid
/** A libp2p host with the key of a member, node-04, whose client was written by hand and keeps to nothing. */
let client: Host
let gridId: Uint8Array
let folder: FolderWriteCapability

beforeAll(async () => {
  grid = await TestGrid.start(4)
  await grid.stopNodes(['node-04'])
  await write('first')
  const told = await grid.run(['capability', 'home:', '--to', 'write'])
  const capability = parseCapability(told.stdout.trim())
  assert(capability.kind === 'folder-write', 'home: is a folder')
  folder = capability
  const home = join(grid.dir, 'node-04')
  const about = JSON.parse(await readFile(join(home, 'grid.json'), 'utf8')) as { gridId: string }
  gridId = fromHex(about.gridId)!
  client = await startHost({
    identity: new Uint8Array(await readFile(join(home, 'identity.key'))),
    gridId,
    listen: [],
    servesDht: false,
    clock: systemClock,
    gate: new Gate({ isMember: () => true, joinProtocol: undefined, clock: systemClock }),
  })
})
afterAll(async () => {
  await client.stop()
  await grid.end()
})

const nodes = (): NodeJson[] => grid.nodes.filter(({ name }) => name !== 'node-04')

async function write(name: string): Promise<void> {
  const file = join(grid.dir, name)
  await writeFile(file, name)
  const run = await grid.run(['put', file, `home:${name}`])
  expect(run.status, run.stderr).toBe(0)
}

/** What a node answers to bytes that nothing has looked at. */
async function answerTo<O extends Op>(
  node: NodeJson,
  op: O,
  message: WireMessage,
): Promise<ReplyOf<O> | Refusal> {
  const signal = AbortSignal.timeout(20_000)
  const connection = await dialAddresses(client, node.addresses, signal)
  const stream = await connection.newStream([storeProtocol(gridId)])
  const reader = new FrameReader()
  const { header, body } = await new Promise<Frame>((resolve, reject) => {
    stream.addEventListener('message', ({ data }) => {
      for (const frame of reader.push(data.subarray())) resolve(frame)
    })
    stream.addEventListener('close', () => reject(new Error('the node ended the stream')))
    stream.send(frameBytes(1, message))
  })
  await stream.close()
  return decodeReply(op, header, body)
}

async function put(node: NodeJson, record: Uint8Array): Promise<string> {
  // The header of a PUT of a slot's record: the op's number and the seconds of a lease.
  const header = fromHex('a200090105')!
  const reply = await answerTo(node, 'slot-put', { header, body: [record] })
  return reply.op === 'refused' ? reply.reason : reply.outcome
}

async function headsOf(node: NodeJson): Promise<readonly Uint8Array[]> {
  const slots = [slotKeyOf(folder.writeKey)]
  const reply = await answerTo(node, 'slot-get', encodeRequest({ op: 'slot-get', slots }))
  assert(reply.op === 'slot-get', 'a member may read')
  return reply.heads[0] ?? []
}

async function newest(): Promise<Uint8Array> {
  const [head] = await headsOf(nodes()[0]!)
  assert(head !== undefined, 'the folder was written')
  return head
}

/** Every running node answers so, and keeps what it had. */
async function expectFromAll(record: Uint8Array, answer: string): Promise<void> {
  for (const node of nodes()) {
    const before = await headsOf(node)
    expect(before.length).toBeGreaterThan(0)
    expect(await put(node, record), node.name).toBe(answer)
    expect(await headsOf(node)).toEqual(before)
  }
}

const CLOCK_AT = 42

/** The newest record with another clock, signed by the folder's own key as if all were well. */
function withClock(record: Uint8Array, entries: readonly string[]): Uint8Array {
  const tail = record.subarray(CLOCK_AT + 1 + 12 * record[CLOCK_AT]!, -64)
  const clock = [Uint8Array.of(entries.length), fromHex(entries.join(''))!]
  const message = concatBytes([record.subarray(0, CLOCK_AT), ...clock, tail])
  return concatBytes([message, slotWriteKeys(folder.writeKey).sign(message)])
}

const entry = (tag: number, counter: number): string =>
  tag.toString(16).padStart(16, '0') + counter.toString(16).padStart(8, '0')

describe('over a real network, a hand-made client', () => {
  it('is answered like any other while it keeps to the rules', async () => {
    const record = await newest()
    await expectFromAll(record, 'have')
  })

  it('cannot write with the power to read, nor with the power to verify', async () => {
    const { readKey, slot } = toRead(folder)
    const { verifyKey } = toVerify(folder)
    const clock = new Map([...decodeSlotRecord(await newest()).clock, ['f'.repeat(16), 1]]) as Map<
      TagHex,
      number
    >
    for (const known of [readKey, verifyKey]) {
      const { sign } = slotWriteKeys(slotWriteKey(known))
      const state = { contents: { kind: 'folder' as const, parents: [] }, clock, expiresS: 0 }
      await expectFromAll(sealRecord({ slot, readKey, sign }, state, systemRandomness), 'bad')
    }
  })

  it('cannot bring back a state that was replaced', async () => {
    const old = await newest()
    await write('second')
    expect(equalBytes(await newest(), old)).toBe(false)
    await expectFromAll(old, 'stale')
  })

  it('cannot have a record kept that was cut, changed, or is too long', async () => {
    const record = await newest()
    await expectFromAll(record.subarray(0, -1), 'bad')
    await expectFromAll(record.with(100, record[100]! ^ 1), 'bad')
    await expectFromAll(record.subarray(0, 1), 'bad')
    await expectFromAll(new Uint8Array(0), 'malformed')
    await expectFromAll(new Uint8Array(5288), 'malformed')
    await expectFromAll(new Uint8Array(1_000_000), 'malformed')
  })

  it('cannot have a clock kept that no client makes, not even with the power to write', async () => {
    const record = await newest()
    const tags = Array.from({ length: 65 }, (_, at) => entry(at, 1))
    await expectFromAll(withClock(record, tags), 'bad')
    await expectFromAll(withClock(record, [entry(2, 1), entry(1, 1)]), 'bad')
    await expectFromAll(withClock(record, [entry(1, 1), entry(1, 2)]), 'bad')
    await expectFromAll(withClock(record, [entry(1, 0)]), 'bad')
    await expectFromAll(withClock(record, []), 'bad')
  })

  it.each([
    ['fields in another order', 'a201050009'],
    ['a number that is longer than it must be', 'a2000901180a'],
    ['a map without an end', 'bf00090105ff'],
    ['a field twice', 'a3000901050105'],
    ['bytes after it', 'a20009010500'],
    ['nothing that is CBOR', 'ffffff'],
  ])('is told that its CBOR is malformed: %s', async (_, header) => {
    const record = await newest()
    for (const node of nodes()) {
      const reply = await answerTo(node, 'slot-put', { header: fromHex(header)!, body: [record] })
      expect(reply).toMatchObject({ op: 'refused', reason: 'malformed' })
      expect(await headsOf(node)).toEqual([record])
    }
  })

  it('has harmed nobody: the folder is read and written as before', async () => {
    await write('third')
    const listed = await grid.run(['ls', 'home:'])
    expect(listed.stdout.trim().split('\n')).toEqual(['first', 'second', 'third'])
  })
})
