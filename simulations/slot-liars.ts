import { toHex } from '../src/foundation/bytes.ts'
import type { Reply, Request } from '../src/protocol/messages.ts'
import type { Refusal } from '../src/protocol/network.ts'
import { SLOT_KEY_BYTES, slotKeyHex, type SlotKey } from '../src/protocol/slot-key.ts'
import { decodeSlotRecord } from '../src/protocol/slot-record.ts'
import { compareVectors } from '../src/protocol/version-vector.ts'
import type { SeededRandomness } from './randomness.ts'

/** How a node lies about slots: it can hide what it knows and show what was, but sign nothing. */
export type SlotLie = keyof typeof slotLies

export type SlotLiar = (
  request: Request,
  honest: () => Promise<Reply | Refusal>,
) => Promise<Reply | Refusal>

export interface SlotLiarTools {
  readonly randomness: SeededRandomness
  readonly records: SeenRecords
}

/** Each makes a liar, who may keep something in mind from one request to the next. */
const slotLies = {
  /** Goes back to an older state, and is a node like others from there on: a restored backup. */
  'rolls slots back': ({ randomness, records }) => {
    const register = new Register((slot) => records.older(slot, randomness))
    return async (request, honest) => register.answer(request) ?? (await honest())
  },
  /** Goes on showing an older state, whatever it is given. */
  'shows old slots': ({ randomness, records }) => {
    const shown = new Map<string, readonly Uint8Array[]>()
    return async (request, honest) =>
      pretend(request, (slot) => {
        const name = slotKeyHex(slot)
        const heads = shown.get(name) ?? records.older(slot, randomness)
        shown.set(name, heads)
        return heads
      }) ?? (await honest())
  },
  /** Was never told of any slot, if one believes it. */
  'shows no slots': () => async (request, honest) => pretend(request, () => []) ?? (await honest()),
  /** Acknowledges states and throws them away. */
  'drops slot writes': () => async (request, honest) =>
    request.op === 'slot-put'
      ? { op: 'slot-put', outcome: 'stored', heads: [request.record] }
      : await honest(),
  /** Calls every state outdated, and shows what it holds. */
  'calls slots stale': () => async (request, honest) => {
    const reply = await honest()
    return reply.op === 'slot-put' ? { ...reply, outcome: 'stale' } : reply
  },
  /** Shows every state that there ever was, as if none contained another. */
  'shows all slots ever': ({ records }) => {
    return async (request, honest) => {
      const reply = await honest()
      if (request.op !== 'slot-get' || reply.op !== 'slot-get') return reply
      return { ...reply, heads: request.slots.map((slot) => records.latest(slot)) }
    }
  },
  /** Shows states with a bit wrong. */
  'spoils slots': ({ randomness }) => {
    return async (_, honest) => {
      const reply = await honest()
      if (reply.op !== 'slot-get') return reply
      const heads = reply.heads.map((records) =>
        records.map((record) => {
          const spoilt = record.slice()
          const at = randomness.below(spoilt.length)
          spoilt[at] = (spoilt[at] ?? 0) ^ (1 << randomness.below(8))
          return spoilt
        }),
      )
      return { ...reply, heads }
    }
  },
  /** Has no room for slots. */
  'refuses slots': () => async (request, honest) => {
    const reply = await honest()
    return request.op === 'slot-put' && reply.op === 'slot-put'
      ? { op: 'slot-put', outcome: 'quota', heads: [] }
      : reply
  },
} as const satisfies Record<string, (tools: SlotLiarTools) => SlotLiar>

export const slotLieNames = Object.keys(slotLies) as SlotLie[]

export function isSlotLie(lie: string): lie is SlotLie {
  return lie in slotLies
}

export function slotLiar(lie: SlotLie, tools: SlotLiarTools): SlotLiar {
  return slotLies[lie](tools)
}

/** Remembers the states of slots as they pass, so that liars can show old ones. One serves a whole grid. */
export class SeenRecords {
  readonly #records = new Map<string, Uint8Array[]>()

  remember(request: Request): void {
    if (request.op !== 'slot-put') return
    const name = toHex(request.record.subarray(SLOT_KEY_AT, SLOT_KEY_AT + SLOT_KEY_BYTES))
    const records = this.#records.get(name) ?? []
    if (records.some((record) => Buffer.compare(record, request.record) === 0)) return
    this.#records.set(name, [...records, request.record.slice()])
  }

  /** One state that another one contains; none if there is no such. */
  older(slot: SlotKey, randomness: SeededRandomness): readonly Uint8Array[] {
    const records = this.#records.get(slotKeyHex(slot)) ?? []
    const clocks = records.map((record) => decodeSlotRecord(record).clock)
    const old = records.filter((_, at) =>
      clocks.some((clock) => compareVectors(clocks[at] ?? clock, clock) === 'before'),
    )
    return old.length === 0 ? [] : [randomness.pick(old)]
  }

  /** As many as fit an answer. */
  latest(slot: SlotKey): readonly Uint8Array[] {
    return (this.#records.get(slotKeyHex(slot)) ?? []).slice(-MAX_SHOWN)
  }
}

/** After the version and the letter of a record. */
const SLOT_KEY_AT = 2
const MAX_SHOWN = 8

/** Answers about slots from memory, as a node would that was set back to what `initial` says. */
class Register {
  readonly #slots = new Map<string, readonly Uint8Array[]>()
  readonly #initial: (slot: SlotKey) => readonly Uint8Array[]

  constructor(initial: (slot: SlotKey) => readonly Uint8Array[]) {
    this.#initial = initial
  }

  answer(request: Request): Reply | undefined {
    if (request.op === 'slot-get') {
      return { op: 'slot-get', heads: request.slots.map((slot) => this.#heads(slot)), unleased: [] }
    }
    if (request.op !== 'slot-put') return undefined
    const record = decodeSlotRecord(request.record)
    const held = this.#heads(record.slot)
    const orders = held.map((head) => compareVectors(record.clock, decodeSlotRecord(head).clock))
    if (orders.includes('before')) return { op: 'slot-put', outcome: 'stale', heads: held }
    if (held.some((head) => Buffer.compare(head, request.record) === 0)) {
      return { op: 'slot-put', outcome: 'have', heads: held }
    }
    const heads = [...held.filter((_, at) => orders[at] !== 'after'), request.record.slice()]
    this.#slots.set(slotKeyHex(record.slot), heads)
    return { op: 'slot-put', outcome: 'stored', heads }
  }

  #heads(slot: SlotKey): readonly Uint8Array[] {
    const name = slotKeyHex(slot)
    const heads = this.#slots.get(name) ?? this.#initial(slot)
    this.#slots.set(name, heads)
    return heads
  }
}

/** Shows `heads` to readers and forgets what writers say. */
function pretend(
  request: Request,
  heads: (slot: SlotKey) => readonly Uint8Array[],
): Reply | undefined {
  if (request.op === 'slot-get')
    return { op: 'slot-get', heads: request.slots.map(heads), unleased: [] }
  if (request.op !== 'slot-put') return undefined
  return { op: 'slot-put', outcome: 'stored', heads: [request.record] }
}
