import { once } from 'node:events'
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { manyListeners } from '../../../src/foundation/abort.ts'
import { accountKeyOf } from '../../../src/capabilities/account.ts'
import { openApi, type Api } from '../../../src/gateway/api/server.ts'
import { EventHub } from '../../../src/gateway/daemon/events.ts'
import { Syncs } from '../../../src/gateway/daemon/syncs.ts'
import { homeFiles } from '../../../src/home/layout.ts'
import type { NodeConfigJson } from '../../../src/home/node-file.ts'
import { openHome } from '../../../src/home/opened-home.ts'
import { openClient, type Client } from '../../../src/library/client.ts'
import { TestGrid } from '../../end-to-end/grid.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  /** What JSON says; undefined where it is none. */
  readonly json: unknown
}

export interface Asked {
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | Uint8Array | undefined
  /** Headers that are sent in place of what would be; undefined leaves one out. */
  readonly token?: string | undefined
}

export const TOKEN = 'a5'.repeat(32)

const NODE_CONFIG: NodeConfigJson = {
  listen: ['/ip4/127.0.0.1/tcp/0'],
  capacityBytes: 1e9,
  reserveBytes: 0,
  accountQuotaBytes: null,
  zone: null,
  uploadBytesPerS: null,
  downloadBytesPerS: null,
  reachable: 'auto',
  portMapping: true,
  announce: [],
  draining: false,
  maintain: true,
}

/** The API over a real grid of three nodes, in this process. */
export class ApiUnderTest implements AsyncDisposable {
  readonly events = new EventHub()
  readonly logged: string[] = []
  stops = 0
  readonly #grid: TestGrid
  readonly #client: Client
  readonly #syncs: Syncs
  readonly #ending: AbortController
  #api: Api | undefined

  private constructor(grid: TestGrid, client: Client, ending: AbortController) {
    this.#grid = grid
    this.#client = client
    this.#ending = ending
    this.#syncs = Syncs.open({
      files: homeFiles(grid.home),
      client,
      account: client.account,
      log: this.#log,
      events: this.events,
    })
  }

  static async start(): Promise<ApiUnderTest> {
    const grid = await TestGrid.start(3)
    const home = openHome(homeFiles(grid.home), async () => await Promise.reject(new Error()))
    const ending = manyListeners(new AbortController())
    const client = await openClient(home, ending.signal)
    const api = new ApiUnderTest(grid, client, ending)
    api.#api = await openApi(
      {
        files: homeFiles(grid.home),
        account: client.account,
        client,
        caller: client.network,
        node: {
          addresses: () => ['/ip4/127.0.0.1/tcp/1'],
          status: async () => await Promise.resolve({ shares: 1 }),
          scrub: async () => await Promise.resolve({ lost: 0 }),
          collect: async () => await Promise.resolve({ shares: 0 }),
          config: async () => await Promise.resolve(NODE_CONFIG),
          configure: async ({ zone = null }) =>
            await Promise.resolve({ ...NODE_CONFIG, zone, applied: 'running' as const }),
          drain: async (onProgress) => {
            onProgress({ doneBytes: 1, totalBytes: 1 })
            return await Promise.resolve({ draining: true, left: { shares: 0 } })
          },
          stopDraining: async () => await Promise.resolve(),
        },
        syncs: api.#syncs,
        events: api.events,
        log: api.#log,
        version: '0.0.0',
        startedMs: 0,
        isCaring: true,
        stop: () => (api.stops += 1),
        signal: ending.signal,
      },
      { token: TOKEN, port: 0 },
    )
    return api
  }

  get port(): number {
    return this.#api?.port ?? 0
  }

  get home(): string {
    return this.#grid.home
  }

  get account(): Uint8Array {
    return accountKeyOf(this.#client.account)
  }

  async ask(
    path: string,
    { method = 'GET', headers, body, token = TOKEN }: Asked = {},
  ): Promise<Answer> {
    const asked = request({
      port: this.port,
      host: '127.0.0.1',
      path,
      method,
      headers: { ...(token !== '' && { authorization: `Bearer ${token}` }), ...headers },
    })
    asked.end(body)
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    const bytes = await buffer(response)
    const { statusCode = 0 } = response
    return { status: statusCode, headers: response.headers, bytes, json: jsonOf(bytes) }
  }

  async post(path: string, body: object): Promise<Answer> {
    return await this.ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  async put(path: string, body: string | Uint8Array, headers = {}): Promise<Answer> {
    return await this.ask(path, {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream', ...headers },
      body,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new Error('the test ends'))
    await this.#api?.[Symbol.asyncDispose]()
    await this.#syncs[Symbol.asyncDispose]()
    await this.#client[Symbol.asyncDispose]()
    await this.#grid.end()
  }

  readonly #log = {
    write: (event: string, text = ''): void => {
      this.logged.push(`${event} ${text}`)
    },
  }
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}
