import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { systemRandomness } from '../../src/foundation/system.ts'
import { randomBelow } from '../../src/foundation/randomness.ts'
import { slotKeyHex } from '../../src/protocol/slot-key.ts'
import { decodeSlotRecord } from '../../src/protocol/slot-record.ts'
import { covers, joinVectors, type VersionVector } from '../../src/protocol/version-vector.ts'
import { openSystemDisk } from '../../src/storage-node/system-disk.ts'
import { isSame } from '../support/blocks.ts'
import { headsOf } from '../support/slot-nodes.ts'
import { testClock } from '../support/slot-records.ts'
import { ALICE, TestNode } from '../support/storage-nodes.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { loadBlock, loadWrite } from './load.ts'

/** `HAYLOFT_KILL_ROUNDS=500 npx vitest run test/storage-node/kill.test.ts` tries harder. */
const ROUNDS = Number(process.env['HAYLOFT_KILL_ROUNDS'] ?? 12)
/** Acknowledgements after which, at the latest, a round's kill comes. */
const MAX_ACKNOWLEDGED = 120
const SEEDS_A_ROUND = 1_000_000

type Message =
  | { ready: true }
  | { acknowledged: number }
  | { written: number }
  | { dropping: number }
  | { failed: unknown }

interface Told {
  readonly acknowledged: Set<number>
  /** Writes to slots that were acknowledged. */
  readonly written: Set<number>
  readonly dropping: Set<number>
}

test(
  `a node killed at any moment under load has kept all that it acknowledged (${ROUNDS} times)`,
  async () => {
    const home = await temporaryFolder()
    const all: Told[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const told: Told = { acknowledged: new Set(), written: new Set(), dropping: new Set() }
      await loadAndKill(home, round, told)
      await expectKept(home, told)
      all.push(told)
    }
    // Later kills have taken nothing from earlier rounds either.
    for (const told of all) await expectKept(home, told)
  },
  30_000 + ROUNDS * 10_000,
)

async function loadAndKill(home: string, round: number, told: Told): Promise<void> {
  const path = join(import.meta.dirname, 'node-process.ts')
  const child = fork(path, [home], { execArgv: ['--import', 'tsx'], serialization: 'json' })
  onTestFinished(() => void child.kill('SIGKILL'))
  const failures: unknown[] = []
  // Acknowledgements come in bursts, a group each; so the kill falls anywhere between and within groups.
  let left = 1 + randomBelow(systemRandomness, MAX_ACKNOWLEDGED)
  child.on('message', (message: Message) => {
    if ('ready' in message) child.send({ first: round * SEEDS_A_ROUND })
    else if ('dropping' in message) told.dropping.add(message.dropping)
    else if ('written' in message) told.written.add(message.written)
    else if ('failed' in message) failures.push(message.failed)
    else {
      told.acknowledged.add(message.acknowledged)
      left--
      if (left === 0) killSoon(child)
    }
  })
  await once(child, 'close')
  expect(failures).toEqual([])
}

/** At once, or after some turns of the event loop: whatever the child is at by then. */
function killSoon(child: ChildProcess): void {
  const turns = randomBelow(systemRandomness, 20)
  const turn = (left: number): void => {
    if (left === 0) child.kill('SIGKILL')
    else setImmediate(turn, left - 1)
  }
  turn(turns)
}

async function expectKept(home: string, { acknowledged, written, dropping }: Told): Promise<void> {
  await using node = await TestNode.open({ disk: await openSystemDisk(home) })
  expect((await node.node.sweep()).missing).toBe(0)
  expect(await node.node.recount()).toBe(true)
  expect((await node.node.scrub()).lost).toBe(0)
  for (const seed of acknowledged) {
    if (dropping.has(seed)) continue
    const { id, shards } = loadBlock(seed)
    expect(isSame(await node.get(id), shards[0]), `block ${seed}`).toBe(true)
  }
  const clocks = new Map<string, VersionVector>()
  for (const seed of written) {
    const { slot, counters } = loadWrite(seed)
    const name = slotKeyHex(slot.slot)
    if (!clocks.has(name)) {
      const heads = await headsOf(node, slot.slot)
      clocks.set(name, heads.map((head) => decodeSlotRecord(head).clock).reduce(joinVectors))
    }
    expect(covers(clocks.get(name)!, testClock(counters)), `write ${seed}`).toBe(true)
  }
  await expectNoStrays(node, home)
}

async function expectNoStrays(node: TestNode, home: string): Promise<void> {
  expect(await node.node.sweep()).toEqual({ strays: 0, missing: 0 })
  const names = await readdir(join(home, 'shares'), { recursive: true })
  const files = names.filter((name) => name.includes('-')).length
  const { shares } = await node.ask<'stat'>(ALICE, { op: 'stat' })
  expect(files).toBeLessThanOrEqual(shares)
}
