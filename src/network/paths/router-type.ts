import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Clock } from '../../foundation/clock.ts'
import { sleep } from '../../foundation/clock.ts'
import { deferred } from '../../foundation/concurrency.ts'
import type { Randomness } from '../../foundation/randomness.ts'
import { equalBytes } from '../../foundation/bytes.ts'
import { TOKEN_BYTES } from './observe-codec.ts'
import {
  decodeBindingResponse,
  encodeBindingRequest,
  TRANSACTION_ID_BYTES,
  type SocketAddress,
} from './stun.ts'

/**
 * Routers as RFC 3489 called them, by what RFC 4787 asks about. `none`: the address is the machine's own. `cone`: once
 * something was sent from a port, everybody may answer; `address-restricted`: only hosts that something was sent to;
 * `port-restricted`: only the very ports. `symmetric`: a port looks different to everybody. `blocked`: no datagram comes
 * through. The last three: as much as can be told with one helper only, or with none.
 */
export type RouterKind =
  | 'none'
  | 'cone'
  | 'address-restricted'
  | 'port-restricted'
  | 'symmetric'
  | 'blocked'
  | 'lenient'
  | 'strict'
  | 'unknown'

/** A member that helps to find out: answers STUN, and sends a datagram when asked. */
export interface RouterHelper {
  readonly stun: SocketAddress
  /** Has it send `token` to that port of this host's address, from a port of the moment. */
  readonly sendDatagram: (port: number, token: Uint8Array) => Promise<void>
}

/** What was seen, of which {@link judgeRouter} makes a kind. */
export interface RouterEvidence {
  /** How the socket looked to each helper that answered. */
  readonly seen: readonly SocketAddress[]
  /** Whether an address of this machine is what the helpers saw. */
  readonly isOwn: boolean
  /** Whether a datagram came from a helper that nothing had been sent to. */
  readonly strangerCame: boolean | undefined
  /** Whether one came from another port of a helper that something had been sent to. */
  readonly otherPortCame: boolean | undefined
  readonly helpers: number
}

export function judgeRouter({
  seen,
  isOwn,
  strangerCame,
  otherPortCame,
  helpers,
}: RouterEvidence): RouterKind {
  const [first, second] = seen
  if (helpers === 0) return 'unknown'
  if (first === undefined) return 'blocked'
  if (isOwn) return 'none'
  if (second !== undefined && (second.port !== first.port || second.host !== first.host)) {
    return 'symmetric'
  }
  if (strangerCame === true) return 'cone'
  // With one helper, no stranger can be asked and no second look be had.
  if (second === undefined) return otherPortCame === true ? 'lenient' : 'strict'
  return otherPortCame === true ? 'address-restricted' : 'port-restricted'
}

/** Finds out what kind of router stands before this machine. Takes a second or two. */
export async function findRouterKind(
  helpers: readonly RouterHelper[],
  options: {
    readonly clock: Clock
    readonly randomness: Randomness
    readonly ownHosts: readonly string[]
    readonly signal: AbortSignal
  },
): Promise<RouterKind> {
  const [first, second] = helpers
  if (first === undefined) return 'unknown'
  const { clock, randomness, ownHosts, signal } = options
  using socket = await ProbeSocket.open(clock)
  const seenByFirst = await socket.askStun(first.stun, randomness, signal)
  let strangerCame: boolean | undefined
  let otherPortCame: boolean | undefined
  if (seenByFirst !== undefined) {
    const { port } = seenByFirst
    const cameFrom = async (helper: RouterHelper): Promise<boolean> =>
      await socket.awaitToken(randomness.bytes(TOKEN_BYTES), signal, (token) =>
        helper.sendDatagram(port, token),
      )
    // The one that nothing was sent to comes first: the next question sends it something.
    strangerCame = second === undefined ? undefined : await cameFrom(second)
    otherPortCame = strangerCame === true ? true : await cameFrom(first)
  }
  const seenBySecond =
    second === undefined ? undefined : await socket.askStun(second.stun, randomness, signal)
  const seen = [seenByFirst, seenBySecond].filter((address) => address !== undefined)
  const isOwn = seen.length > 0 && seen.every(({ host }) => ownHosts.includes(host))
  return judgeRouter({ seen, isOwn, strangerCame, otherPortCame, helpers: helpers.length })
}

/** Datagrams get lost: asked so often, */
const TRIES = 3
/** and each time waited for so long, which is a round trip around the world. */
const WAIT_MS = 350

class ProbeSocket implements Disposable {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #waiting = new Set<(message: Uint8Array) => void>()

  private constructor(socket: Socket, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
    socket.on('message', (message) => {
      for (const take of this.#waiting) take(message)
    })
    socket.on('error', () => undefined)
  }

  static async open(clock: Clock): Promise<ProbeSocket> {
    const socket = createSocket('udp4')
    socket.bind(0)
    await once(socket, 'listening')
    return new ProbeSocket(socket, clock)
  }

  async askStun(
    server: SocketAddress,
    randomness: Randomness,
    signal: AbortSignal,
  ): Promise<SocketAddress | undefined> {
    const id = randomness.bytes(TRANSACTION_ID_BYTES)
    return await this.#repeat(
      signal,
      (message) => decodeBindingResponse(message, id),
      async () => {
        this.#socket.send(encodeBindingRequest(id), server.port, server.host)
        await Promise.resolve()
      },
    )
  }

  async awaitToken(
    token: Uint8Array,
    signal: AbortSignal,
    send: (token: Uint8Array) => Promise<void>,
  ): Promise<boolean> {
    const came = await this.#repeat(
      signal,
      (message) => (equalBytes(message, token) ? true : undefined),
      async () => await send(token),
    )
    return came === true
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }

  async #repeat<T>(
    signal: AbortSignal,
    read: (message: Uint8Array) => T | undefined,
    send: () => Promise<void>,
  ): Promise<T | undefined> {
    // It may be here before the question is done with.
    const answer = deferred<T>()
    const take = (message: Uint8Array): void => {
      const found = read(message)
      if (found !== undefined) answer.resolve(found)
    }
    this.#waiting.add(take)
    try {
      for (let attempt = 0; attempt < TRIES; attempt++) {
        await send().catch(() => undefined)
        const late = sleep(this.#clock, WAIT_MS, signal).then(() => undefined)
        const found = await Promise.race([answer.promise, late])
        if (found !== undefined) return found
      }
      return undefined
    } finally {
      this.#waiting.delete(take)
    }
  }
}
