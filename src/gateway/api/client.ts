import { HayloftError } from '../../foundation/error.ts'
import { readDaemon } from '../../home/daemon-file.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readToken } from '../daemon/token.ts'

/** What the daemon answered that it could not do. */
class DaemonError extends HayloftError {
  readonly code: string

  constructor({ code, message }: { readonly code: string; readonly message: string }) {
    super(message)
    this.code = code
  }
}

/** The daemon does not answer, or not as it should. */
class DaemonSilentError extends HayloftError {
  readonly code = 'daemon-silent'

  constructor(pid: number, options?: ErrorOptions) {
    super(
      `The daemon, process ${pid}, does not answer as it should. "hayloft stop" ends it.`,
      options,
    )
  }
}

export interface DaemonRequest {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly body?: object
  readonly signal?: AbortSignal | undefined
}

/** Asks the daemon of a home, for commands. */
export class DaemonClient {
  readonly pid: number
  readonly #port: number
  readonly #token: string

  private constructor({ pid, port, token }: { pid: number; port: number; token: string }) {
    this.pid = pid
    this.#port = port
    this.#token = token
  }

  /** @returns undefined if no daemon runs, or it is not ready */
  static async find(files: HomeFiles): Promise<DaemonClient | undefined> {
    const daemon = await readDaemon(files)
    const token = daemon && (await readToken(files))
    return daemon && token !== undefined ? new DaemonClient({ ...daemon, token }) : undefined
  }

  /** @throws DaemonError, DaemonSilentError */
  async ask(path: string, { method = 'GET', body, signal }: DaemonRequest = {}): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.#port}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal !== undefined && { signal }),
    }).catch((cause: unknown) => {
      signal?.throwIfAborted()
      throw new DaemonSilentError(this.pid, { cause })
    })
    const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>
    if (response.ok) return answer
    const { code, title } = answer
    if (typeof code !== 'string' || typeof title !== 'string') throw new DaemonSilentError(this.pid)
    throw new DaemonError({ code, message: title })
  }
}
