import { AsyncLocalStorage } from 'node:async_hooks'
import { HayloftError } from '../../src/foundation/error.ts'
import type { SlotBase, SlotChange, SlotClient, SlotState } from '../../src/grid/slots/client.ts'
import type { Draft } from '../merge/oracle.ts'
import type { FolderLedger } from './ledger.ts'

/** One thing that a user does, and what the slots saw of it. */
export interface Deed {
  readonly who: string
  /** The state that was read last. */
  read?: SlotState | undefined
  /** What the commit being made is based on. */
  base?: SlotBase | undefined
  /** What the edits must leave of the base; `refused` if they must fail. */
  expected?: readonly Draft[] | 'refused' | undefined
  /** The last commit that was made of it. */
  commit?: string | undefined
}

/** Which deed a call to the slots belongs to, however many are under way. */
export const deeds = new AsyncLocalStorage<Deed>()

/** What no storm may do. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

/** The slots of a device, with every commit told to the ledger before it is sent, and every state checked against it. */
export function observeSlots(slots: SlotClient, ledger: FolderLedger): SlotClient {
  return {
    read: async (reader, options) => {
      const state = await slots.read(reader, options)
      const deed = deeds.getStore()
      if (deed !== undefined) deed.read = state
      check(ledger.faultsOf(state.heads))
      return state
    },
    write: async (keys, update, options) =>
      await slots.write(
        keys,
        async (base) => {
          check(ledger.faultsOf(base.heads))
          return await noteCommit(ledger, base, async () => await update(base))
        },
        options,
      ),
    readLinks: async (verifier, options) => await slots.readLinks(verifier, options),
    watch: (reader, signal) => slots.watch(reader, signal),
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

async function noteCommit(
  ledger: FolderLedger,
  base: SlotBase,
  update: () => Promise<SlotChange | undefined>,
): Promise<SlotChange | undefined> {
  const deed = deeds.getStore() ?? { who: 'nobody' }
  deed.base = base
  deed.expected = undefined
  deed.commit = undefined
  let change: SlotChange | undefined
  try {
    change = await update()
  } catch (error) {
    const isRefusal = error instanceof HayloftError && REFUSALS.has(error.code)
    if (isRefusal && deed.expected !== 'refused') {
      throw new Violation(`refused what must be done: ${error.message}`)
    }
    throw error
  }
  if (deed.expected === 'refused') throw new Violation('took what must be refused')
  if (change !== undefined) deed.commit = ledger.commit(base, change.contents, deed.expected)
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
