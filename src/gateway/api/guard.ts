import type { FastifyRequest } from 'fastify'
import { holdsCapability } from '../../capabilities/redact.ts'
import { sha256 } from '../../crypto/hash.ts'
import { equalBytes, utf8 } from '../../foundation/bytes.ts'
import { ApiError } from './errors.ts'

/**
 * Lets in whoever has the token, and no web page but our own: a page that got its name to lead here (DNS rebinding)
 * comes with that name as its host, and one that sends us requests (CSRF) with its origin.
 */
export class Guard {
  readonly #tokenHash: Uint8Array
  readonly #hosts = new Set<string>()

  constructor(token: string) {
    this.#tokenHash = sha256(utf8(token))
  }

  /** Once it is known where the API listens. */
  listensAt(port: number): void {
    for (const name of ['127.0.0.1', 'localhost']) this.#hosts.add(`${name}:${port}`)
  }

  /** @throws ApiError */
  check({ headers, url }: Pick<FastifyRequest, 'headers' | 'url'>): void {
    const { host, origin, authorization } = headers
    if (host === undefined || !this.#hosts.has(host)) throw new ApiError('host-refused')
    if (origin !== undefined && !this.#isOwn(origin)) throw new ApiError('origin-refused')
    const site = headers['sec-fetch-site']
    if (site !== undefined && site !== 'same-origin' && site !== 'none') {
      throw new ApiError('origin-refused')
    }
    if (!this.#isToken(authorization)) throw new ApiError('token-wrong')
    if (holdsCapability(decoded(url))) throw new ApiError('capability-in-url')
  }

  #isOwn(origin: string): boolean {
    return origin.startsWith('http://') && this.#hosts.has(origin.slice('http://'.length))
  }

  /** Compared by hashes: how long it takes tells nothing of the token. */
  #isToken(authorization: string | undefined): boolean {
    const given = /^Bearer +([0-9a-f]{64})$/i.exec(authorization ?? '')?.[1]
    return given !== undefined && equalBytes(sha256(utf8(given)), this.#tokenHash)
  }
}

/** As far as it can be. */
function decoded(url: string): string {
  const text = url.replaceAll('+', ' ')
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
