import { toHex } from '../src/foundation/bytes.ts'
import type { Reply, Request } from '../src/protocol/messages.ts'
import type { Refusal, StorageService } from '../src/protocol/network.ts'
import { blockIdOf } from '../src/protocol/manifest.ts'
import { corruptors, type Corruptor, type Decoys, type Share } from './corruptors.ts'
import type { CorruptorName } from './corruptors.ts'
import type { SeededRandomness } from './randomness.ts'
import { isSlotLie, SeenRecords, slotLiar, type SlotLie } from './slot-liars.ts'

/** How a node that has nothing good in mind answers. */
export type Lie = StorageLie | CorruptorName | SlotLie

/** Lies about what is kept; the names of {@link corruptors} are lies about what is handed out. */
export type StorageLie = keyof typeof storageLies

type Answer = () => Promise<Reply | Refusal>

/** Each gets the request and the honest answer, should it want one. */
const storageLies = {
  /** Holds everything, if one believes it, and stores nothing. */
  'claims all': async (request, honest) => {
    if (request.op === 'put') return { op: 'put', outcome: 'have' }
    if (request.op === 'get') return { op: 'get' }
    return claimAll(await honest())
  },
  /** Holds what it was given and claims ten times as much. */
  exaggerates: async (_, honest) => claimAll(await honest()),
  /** Acknowledges shares and throws them away. */
  forgets: async (request, honest) =>
    request.op === 'put' ? { op: 'put', outcome: 'stored' } : await honest(),
  /** Takes shares and never gives or admits one. */
  denies: async (request, honest) => {
    if (request.op === 'get') return { op: 'get' }
    if (request.op === 'audit') return { op: 'audit', proofs: request.leaves.map(() => undefined) }
    const reply = await honest()
    if (reply.op !== 'have' && reply.op !== 'lease') return reply
    return { op: reply.op, holdings: reply.holdings.map(() => new Uint8Array(0)) }
  },
  /** Answers about fewer blocks than it was asked about. */
  'counts badly': async (_, honest) => {
    const reply = await honest()
    if (reply.op === 'have' || reply.op === 'lease') return { op: reply.op, holdings: [] }
    return reply.op === 'audit' ? { op: 'audit', proofs: [] } : reply
  },
  /** Calls every share bad. */
  'rejects all': async (request, honest) =>
    request.op === 'put' ? { op: 'put', outcome: 'bad' } : await honest(),
  /** Is full from now on. */
  full: async (request, honest) =>
    request.op === 'put' ? { op: 'put', outcome: 'full' } : await honest(),
  'is always busy': async () => ({ op: 'refused', reason: 'busy', message: 'Not now.' }),
  /** Proves leaves with the wrong bytes. */
  'fakes audits': async (_, honest) => {
    const reply = await honest()
    if (reply.op !== 'audit') return reply
    const proofs = reply.proofs.map((proof) => ({
      bytes: new Uint8Array(proof?.bytes.length ?? 512),
      proof: proof?.proof ?? new Uint8Array(0),
    }))
    return { op: 'audit', proofs }
  },
  /** Takes requests and never answers. */
  'is mute': async () => await new Promise<never>(() => {}),
} as const satisfies Record<string, (request: Request, honest: Answer) => Promise<Reply | Refusal>>

export const storageLieNames = Object.keys(storageLies) as StorageLie[]

/** Remembers real shares, and records of slots, as they pass, so that liars can hand out the wrong ones. One serves a whole grid. */
export class SeenShares {
  readonly records = new SeenRecords()
  readonly #shares: (Share & { readonly id: string })[] = []

  remember(request: Request): void {
    this.records.remember(request)
    if (request.op !== 'put') return
    const id = toHex(blockIdOf(request.manifest))
    const share = {
      id,
      manifest: request.manifest.slice(),
      index: request.index,
      held: new Uint8Array(0),
      proof: new Uint8Array(0),
      bytes: request.shard.slice(),
    }
    this.#shares.push(share)
    if (this.#shares.length > MAX_SEEN) this.#shares.shift()
  }

  decoysFor(id: Uint8Array, { index }: Share): Decoys {
    const name = toHex(id)
    return {
      sibling: this.#shares.findLast((share) => share.id === name && share.index !== index),
      stranger: this.#shares.findLast((share) => share.id !== name),
    }
  }
}

/** A service that lies, in front of an honest one. */
export function lyingService(
  service: StorageService,
  { lie, randomness, seen }: { lie: Lie; randomness: SeededRandomness; seen: SeenShares },
): StorageService {
  if (lie in corruptors) {
    const corruptor = corruptors[lie as CorruptorName]
    return corruptingService(service, { corruptor, randomness, seen })
  }
  if (isSlotLie(lie)) {
    const liar = slotLiar(lie, { randomness, records: seen.records })
    return {
      handle: async (caller, request, signal) =>
        await liar(request, async () => await service.handle(caller, request, signal)),
    }
  }
  return {
    handle: async (caller, request, signal) =>
      await storageLies[lie as StorageLie](
        request,
        async () => await service.handle(caller, request, signal),
      ),
  }
}

/** A service that spoils every share that it hands out. */
export function corruptingService(
  service: StorageService,
  {
    corruptor,
    randomness,
    seen,
  }: { corruptor: Corruptor; randomness: SeededRandomness; seen: SeenShares },
): StorageService {
  return {
    handle: async (caller, request, signal) => {
      const reply = await service.handle(caller, request, signal)
      if (request.op !== 'get' || reply.op !== 'get' || reply.share === undefined) return reply
      const decoys = seen.decoysFor(request.id, reply.share)
      const share = corruptor(reply.share, { randomness, decoys })
      return share === undefined ? { op: 'get' } : { op: 'get', share }
    },
  }
}

/** Shares that liars have to choose from: some blocks' worth. */
const MAX_SEEN = 64

function claimAll(reply: Reply | Refusal): Reply | Refusal {
  if (reply.op !== 'have' && reply.op !== 'lease') return reply
  return { op: reply.op, holdings: reply.holdings.map(() => new Uint8Array(32).fill(255)) }
}
