import { once } from 'node:events'
import type { AccountSecret } from '../../capabilities/account.ts'
import { linkSignals } from '../../foundation/abort.ts'
import { systemCodeOf } from '../../foundation/error.ts'
import { systemClock, systemRandomness } from '../../foundation/system.ts'
import { openApi, type Api } from '../../gateway/api/server.ts'
import type { DaemonNode } from '../../gateway/api/context.ts'
import { EventHub } from '../../gateway/daemon/events.ts'
import type { DaemonLog } from '../../gateway/daemon/log.ts'
import { Syncs } from '../../gateway/daemon/syncs.ts'
import { ensureToken } from '../../gateway/daemon/token.ts'
import { removeDaemon, writeDaemon } from '../../home/daemon-file.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readNodeFile } from '../../home/node-file.ts'
import type { OpenedHome } from '../../home/opened-home.ts'
import { readRunning } from '../../home/running-file.ts'
import { openClient, type Client, type SharedNetwork } from '../../library/client.ts'
import type { DrainProgress, DrainReport } from '../../storage-node/drain/report.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import { accountNames } from '../node/account-names.ts'
import { startCare } from '../node/care.ts'
import { setDraining } from '../node/drain-node.ts'
import { describeDrain } from '../node/drain-text.ts'
import { followMembers } from '../node/members.ts'
import { changeNode, describeConfig, readNodeConfig } from '../node/node-change.ts'
import { describeReport, type NodeReport } from '../node/report.ts'
import { VERSION } from '../package-files.ts'
import { readNodeHome, serveNode, type NodeAtWork } from '../run-node.ts'
import { takeDaemonLock } from './daemon-lock.ts'

export interface DaemonOptions {
  readonly home: OpenedHome
  readonly log: DaemonLog
  /** Whether to run the storage node that the home may have. */
  readonly withNode: boolean
  /** Where the API listens; 0 for any port that is free. */
  readonly port: number
  readonly signal: AbortSignal
  /** Called once everything is at work. */
  readonly onReady: () => void
  /** Called when it was told to end by its API. */
  readonly onStop: () => void
}

/** Runs all that a home has to run, over one host, until it is told to end. */
export async function runDaemon(options: DaemonOptions): Promise<void> {
  const { home, log, withNode, signal } = options
  const { files } = home
  await using _lock = await takeDaemonLock(files)
  await refuseOtherNode(files, withNode)
  const account = await home.account()
  using stop = linkSignals(signal)
  const ending = stop.signal
  const daemon = new Daemon({
    ...options,
    account,
    ending,
    stop: () => {
      options.onStop()
      stop.abort(new Error('the daemon was told to end'))
    },
  })
  log.write('starting', `pid ${process.pid}, version ${VERSION}`)
  try {
    if (withNode && (await readNodeFile(files.node)) !== undefined) await daemon.withNode()
    else await daemon.alone()
  } catch (thrown) {
    if (!ending.aborted) throw thrown
  } finally {
    await removeDaemon(files)
    log.write('stopped')
  }
}

interface Running extends DaemonOptions {
  readonly account: AccountSecret
  /** Fires when the daemon is to end, for whatever reason. */
  readonly ending: AbortSignal
  readonly stop: () => void
}

class Daemon {
  readonly #options: Running
  readonly #events = new EventHub()

  constructor(options: Running) {
    this.#options = options
  }

  async withNode(): Promise<void> {
    const { home, log, ending } = this.#options
    const nodeHome = await readNodeHome(home.files)
    const isCaring = nodeHome.settings.current.maintain !== false
    const careState = isCaring ? 'on' : 'off'
    const tools = { files: home.files, log, signal: ending }
    await serveNode({ ...nodeHome, careState }, tools, async (node) => {
      await using client = await this.#open(node.shared)
      await this.#run(client, { node, isCaring, removed: node.removed })
    })
  }

  async alone(): Promise<void> {
    const { home, log } = this.#options
    await using client = await this.#open()
    const { self } = client.network
    using members = followMembers(home.files, client, { self, log })
    await this.#run(client, { node: undefined, isCaring: true, removed: members.removed })
  }

  async #open(shared?: SharedNetwork): Promise<Client> {
    const { home, log, ending } = this.#options
    return await openClient(home, ending, {
      shared,
      onEvent: () => {
        log.write('rollback', 'Storage nodes show an older state of a folder than was seen before.')
        this.#events.publish({ type: 'rollback', data: {} })
      },
    })
  }

  async #run(
    client: Client,
    about: { node: NodeAtWork | undefined; isCaring: boolean; removed: Promise<never> },
  ): Promise<void> {
    const { home, account, log, ending, stop, onReady } = this.#options
    const { files } = home
    const events = this.#events
    const startedMs = systemClock.nowMs()
    const withClient = async (
      _: AbortSignal,
      care: (own: Client) => Promise<void>,
    ): Promise<void> => await care(client)
    await using _care = about.isCaring ? startCare({ files, log }, withClient) : undefined
    await using syncs = Syncs.open({ files, client, account, log, events })
    await using api = await listening(
      this.#options.port,
      async () =>
        await openApi(
          {
            files,
            account,
            client,
            caller: about.node?.shared.caller ?? client.network,
            node: about.node === undefined ? undefined : nodeOf(about.node, files),
            syncs,
            events,
            log,
            version: VERSION,
            startedMs,
            isCaring: about.isCaring,
            stop,
            signal: ending,
          },
          { token: await ensureToken(files, systemRandomness), port: this.#options.port },
        ),
    )
    await writeDaemon(files, { startedMs, port: api.port, self: client.network.self })
    log.write('ready', `the API is at 127.0.0.1:${api.port}`)
    onReady()
    try {
      if (!ending.aborted) await Promise.race([once(ending, 'abort'), about.removed])
    } finally {
      log.write('ending')
    }
  }
}

async function listening(port: number, open: () => Promise<Api>): Promise<Api> {
  try {
    return await open()
  } catch (cause) {
    const code = systemCodeOf(cause)
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw cause
    const why =
      code === 'EACCES' ? 'the system allows it to no program of yours' : 'another program uses it'
    throw new CliError(
      {
        exit: EXIT.io,
        code: 'cannot-listen',
        message: `The API cannot have port ${port} of 127.0.0.1: ${why}. Name another one with --port.`,
      },
      { cause },
    )
  }
}

/** What the API tells of a node, and has it do. */
function nodeOf({ shared, orders }: NodeAtWork, files: HomeFiles): DaemonNode {
  const order = async (op: 'status' | 'scrub' | 'collect'): Promise<object> => {
    const { signal } = new AbortController()
    return (await orders({ op }, { emit: () => undefined, signal })) as object
  }
  const { membership } = shared.own
  return {
    addresses: () => shared.network.addresses(),
    status: async () =>
      describeReport((await order('status')) as NodeReport, accountNames(membership)),
    scrub: async () => await order('scrub'),
    collect: async () => await order('collect'),
    config: async () => {
      const { node, bandwidth } = await readNodeConfig(files)
      return describeConfig(node, bandwidth.usual)
    },
    configure: async (change, signal) => {
      const { node, bandwidth, applied } = await changeNode(change, { files, signal })
      return { ...describeConfig(node, bandwidth.usual), applied }
    },
    drain: async (onProgress, signal) => {
      await setDraining(files, true, signal)
      const emit = (event: unknown): void => {
        const { moved, totalBytes } = event as DrainProgress
        onProgress({ doneBytes: moved.bytes, totalBytes })
      }
      return describeDrain(
        (await orders({ op: 'drain' }, { emit, signal })) as DrainReport,
        membership,
      )
    },
    stopDraining: async (signal) => await setDraining(files, false, signal),
  }
}

/** The store of a node is open in one process at a time. */
async function refuseOtherNode(files: HomeFiles, withNode: boolean): Promise<void> {
  const running = withNode ? await readRunning(files.running) : undefined
  if (running === undefined) return
  throw new CliError({
    exit: EXIT.tryAgain,
    code: 'already-running',
    message:
      `The storage node of ${files.home} runs already, as process ${running.pid} ("hayloft node start"). End it, and the ` +
      'daemon runs it; or start the daemon with --no-node.',
  })
}
