import { HayloftError } from '../../src/foundation/error.ts'
import type { SlotBase, SlotChange, SlotClient } from '../../src/grid/slots/client.ts'
import type { SlotKey } from '../../src/protocol/slot-key.ts'
import { deeds, Violation, type Write } from './deed.ts'
import type { FolderJudges } from './judge.ts'

/**
 * The slots of a device, with every commit told to the ledger of its folder before it is sent, and every state checked
 * against it.
 */
export function observeSlots(slots: SlotClient, judges: FolderJudges): SlotClient {
  return {
    read: async (reader, options) => {
      const state = await slots.read(reader, options)
      deeds.getStore()?.noteRead(reader.slot, state)
      check(judges.of(reader.slot).ledger.faultsOf(state.heads))
      return state
    },
    write: async (keys, update, options) => {
      const { ledger } = judges.of(keys.slot)
      let last: Write | undefined
      const written = await slots.write(
        keys,
        async (base) => {
          check(ledger.faultsOf(base.heads))
          last = beginWrite(keys.slot, base)
          return await noteCommit(judges, keys.slot, last, async () => await update(base))
        },
        options,
      )
      if (written !== undefined && last?.commit !== undefined) ledger.acknowledge(last.commit)
      return written
    },
    watch: (reader, signal) => {
      const deed = deeds.getStore()
      const { ledger } = judges.of(reader.slot)
      return (async function* states() {
        for await (const state of slots.watch(reader, signal)) {
          check(ledger.faultsOf(state.heads))
          if (deed !== undefined) deed.watched = state
          yield state
        }
      })()
    },
    check: async (slot, options) => await slots.check(slot, options),
    repair: async (slot, options) => await slots.repair(slot, options),
    topUp: async () => await slots.topUp(),
    settle: async () => {
      await slots.settle()
    },
    [Symbol.asyncDispose]: async () => {
      await slots[Symbol.asyncDispose]()
    },
  }
}

function beginWrite(slot: SlotKey, base: SlotBase): Write {
  const deed = deeds.getStore()
  const write: Write = { base, expected: deed?.expect?.(slot, base) ?? (() => undefined) }
  deed?.noteWrite(slot, write)
  return write
}

async function noteCommit(
  judges: FolderJudges,
  slot: SlotKey,
  write: Write,
  update: () => Promise<SlotChange | undefined>,
): Promise<SlotChange | undefined> {
  let change: SlotChange | undefined
  try {
    change = await update()
  } catch (error) {
    const isRefusal = error instanceof HayloftError && REFUSALS.has(error.code)
    if (isRefusal && write.expected() !== 'refused') {
      throw new Violation(`refused what must be done: ${error.message}`)
    }
    throw error
  }
  const { base } = write
  const expected = write.expected()
  if (expected === 'refused') throw new Violation('took what must be refused')
  const { ledger } = judges.of(slot)
  if (change !== undefined) write.commit = ledger.commit(base, change.contents, expected)
  else if (expected !== undefined && !ledger.isUnchanged(base.heads, expected)) {
    throw new Violation('found nothing to change where there was something')
  }
  return change
}

/** Codes of errors that a commit gets for what it wants. */
export const REFUSALS: ReadonlySet<string> = new Set([
  'path-not-found',
  'not-a-directory',
  'is-a-directory',
  'into-itself',
])

function check(faults: readonly string[]): void {
  const [fault] = faults
  if (fault !== undefined) throw new Violation(fault)
}
