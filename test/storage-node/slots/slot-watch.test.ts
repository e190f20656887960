import { expect, test } from 'vitest'
import { SimulatedClock } from '../../../simulations/clock.ts'
import { SimulatedDrive } from '../../../simulations/disk.ts'
import { SeededRandomness } from '../../../simulations/randomness.ts'
import type { Reply } from '../../../src/protocol/messages.ts'
import type { Refusal } from '../../../src/protocol/network.ts'
import type { KeyValueStore } from '../../../src/storage-node/disk.ts'
import type { NodeKey } from '../../../src/protocol/node-key.ts'
import { headsDigest, recordDigest } from '../../../src/protocol/slot-record.ts'
import { leaseSlots, putRecord } from '../../support/slot-nodes.ts'
import { testRecord, testSlot, type TestSlot } from '../../support/slot-records.ts'
import { ALICE, BOB, HandClock, TestNode } from '../../support/storage-nodes.ts'

const slots = Array.from({ length: 24 }, (_, at) => testSlot(at))
const [one, two] = [slots[0]!, slots[1]!]
const EMPTY = headsDigest([])

async function openNode(clock = new SimulatedClock()): Promise<TestNode> {
  const drive = new SimulatedDrive({ clock, randomness: new SeededRandomness(1) })
  return await TestNode.open({ disk: drive.open(), clock })
}

async function turnsOver(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve()
}

/** What it reads is old by the time that it has read it. */
async function openSlowNode(): Promise<TestNode> {
  const clock = new SimulatedClock()
  const drive = new SimulatedDrive({ clock, randomness: new SeededRandomness(1) })
  const disk = drive.open()
  const getMany: KeyValueStore['getMany'] = async (keys) => {
    const values = await disk.rows.getMany(keys)
    await turnsOver(40)
    return values
  }
  return await TestNode.open({ disk: { ...disk, rows: { ...disk.rows, getMany } }, clock })
}

/** A watch, and whether it was answered. */
function watch(
  node: TestNode,
  watched: readonly TestSlot[],
  {
    who = ALICE,
    known = EMPTY,
    waitS = 60,
    signal,
  }: { who?: NodeKey; known?: Uint8Array; waitS?: number; signal?: AbortSignal } = {},
): { reply: Promise<Reply | Refusal>; isAnswered: () => boolean } {
  let answered = false
  const watches = watched.map(({ slot }) => ({ slot, known }))
  const reply = node.node.handle(who, { op: 'slot-watch', watches, waitS }, signal)
  void reply.finally(() => {
    answered = true
  })
  return { reply, isAnswered: () => answered }
}

test('a watch is answered at once with all that is different', async () => {
  await using node = await openNode()
  const record = testRecord(one, { a: 1 })
  await putRecord(node, record)
  const { reply } = watch(node, slots)
  expect(await reply).toEqual({ op: 'slot-watch', changed: [{ slot: one.slot, heads: [record] }] })
  const known = headsDigest([recordDigest(record)])
  expect(await watch(node, [one, two], { known }).reply).toEqual({
    op: 'slot-watch',
    changed: [{ slot: two.slot, heads: [] }],
  })
})

test('a watch is answered by the first write that is accepted, and by nothing less', async () => {
  const clock = new SimulatedClock()
  await using node = await openNode(clock)
  const record = testRecord(one, { a: 2 })
  await putRecord(node, record)
  const known = headsDigest([recordDigest(record)])
  const { reply, isAnswered } = watch(node, [one], { known })
  await putRecord(node, testRecord(one, { a: 1 }))
  await putRecord(node, record, { who: BOB })
  await leaseSlots(node, BOB, [one.slot])
  await putRecord(node, testRecord(two, { a: 1 }))
  await clock.advance(30_000)
  expect(isAnswered()).toBe(false)
  const next = testRecord(one, { a: 3 })
  await putRecord(node, next)
  expect(await reply).toEqual({ op: 'slot-watch', changed: [{ slot: one.slot, heads: [next] }] })
})

test('no write is missed, whenever it comes', async () => {
  const record = testRecord(one, { a: 1 })
  for (let turns = 0; turns < 100; turns++) {
    await using node = await openSlowNode()
    const writing = putRecord(node, record)
    // Until the write is long over: one of these watches looks the slot up just before it has changed.
    await turnsOver(turns)
    const changed = [{ slot: one.slot, heads: [record] }]
    expect(await watch(node, [one]).reply).toEqual({ op: 'slot-watch', changed })
    await writing
  }
})

test('a watch ends with its time, with its caller, and with the node', async () => {
  const clock = new SimulatedClock()
  const node = await openNode(clock)
  const timely = watch(node, [one], { waitS: 5 })
  await clock.advance(4999)
  expect(timely.isAnswered()).toBe(false)
  await clock.advance(1)
  expect(await timely.reply).toEqual({ op: 'slot-watch', changed: [] })
  const caller = new AbortController()
  const left = watch(node, [one], { signal: caller.signal })
  await Promise.resolve()
  caller.abort()
  expect(await left.reply).toMatchObject({ op: 'refused', reason: 'busy' })
  expect(await watch(node, [one], { signal: caller.signal }).reply).toMatchObject({ op: 'refused' })
  const last = watch(node, [one])
  await node[Symbol.asyncDispose]()
  expect(await last.reply).toMatchObject({ op: 'refused', reason: 'busy' })
})

test('a caller may have 32 watches, one more ends the first, and those that end make room', async () => {
  const clock = new SimulatedClock()
  await using node = await openNode(clock)
  const mine = Array.from({ length: 33 }, () => watch(node, slots, { waitS: 10 }))
  expect(await mine[0]!.reply).toMatchObject({ op: 'refused', reason: 'busy' })
  const other = watch(node, [two], { who: BOB, waitS: 10 })
  await clock.advance(10_000)
  for (const { reply } of mine.slice(1)) {
    expect(await reply).toEqual({ op: 'slot-watch', changed: [] })
  }
  expect(await other.reply).toMatchObject({ op: 'slot-watch' })
  const again = Array.from({ length: 32 }, () => watch(node, slots))
  await putRecord(node, testRecord(one, { a: 1 }))
  for (const { reply } of again) expect(await reply).toMatchObject({ op: 'slot-watch' })
})

test('those who wait take no memory from those who work', async () => {
  const clock = new HandClock()
  const drive = new SimulatedDrive({ clock, randomness: new SeededRandomness(1) })
  const disk = drive.open()
  await using node = await TestNode.open({ disk, clock, anyone: true })
  // As many as there may be: with the memory for their largest replies they would take 900 MB.
  const callers = Array.from({ length: 33 }, (_, at) => {
    return at.toString(16).padStart(64, '0') as NodeKey
  })
  const waiting = callers.flatMap((who) =>
    Array.from({ length: 32 }, () => watch(node, slots, { who })),
  )
  for (const { reply } of waiting.slice(1024)) {
    expect(await reply).toMatchObject({ op: 'refused', reason: 'busy' })
  }
  await Promise.all(slots.map((slot) => putRecord(node, testRecord(slot, { a: 1 }))))
  for (const { reply } of waiting.slice(0, 1024)) {
    expect(await reply).toMatchObject({ op: 'slot-watch' })
  }
})
