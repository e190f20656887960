import type { AccountSecret } from '../../capabilities/account.ts'
import { manyListeners } from '../../foundation/abort.ts'
import { sleep } from '../../foundation/clock.ts'
import { HayloftError, messageOf, systemCodeOf } from '../../foundation/error.ts'
import { systemClock } from '../../foundation/system.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { tryLock } from '../../home/file-lock.ts'
import { placeOfSecrets, readSecrets } from '../../home/key-store.ts'
import type { OwnGrid } from '../../home/own-grid.ts'
import { openHomeCare } from '../../library/care.ts'
import { openClient } from '../../library/client.ts'
import type { GridNetwork } from '../../network/open.ts'
import type { Reply } from '../../protocol/messages.ts'
import {
  RefusedError,
  type Caller,
  type Refusal,
  type StorageService,
} from '../../protocol/network.ts'
import { eventText } from '../care/event-text.ts'
import type { NodeLog } from '../node-log.ts'
import { askPassphrase } from '../passphrase.ts'
import type { NodeSettings } from './settings.ts'

interface NodeCare {
  readonly files: HomeFiles
  /** No account: nothing is looked after, see {@link accountForCare}. */
  readonly secrets: { readonly identity: Uint8Array; readonly account: AccountSecret | undefined }
  readonly grid: OwnGrid
  readonly network: GridNetwork
  readonly storage: StorageService
  readonly log: NodeLog
}

/**
 * Whether a node looks after its home: `on`; `off` by its settings; `under-passphrase`, for which it asks nobody; or
 * `no-account`, which has nothing to be looked after.
 */
export type NodeCareState = 'on' | 'off' | 'under-passphrase' | 'no-account'

/** Without asking anyone: a node starts when nobody is there. */
export async function accountForCare(
  files: HomeFiles,
  settings: Pick<NodeSettings, 'current'>,
): Promise<{ readonly account: AccountSecret | undefined; readonly state: NodeCareState }> {
  if ((await placeOfSecrets(files)) === 'key-store-under-passphrase') {
    return { account: undefined, state: 'under-passphrase' }
  }
  const { account } = await readSecrets(files, askPassphrase)
  if (account === undefined) return { account, state: 'no-account' }
  return settings.current.maintain === false
    ? { account: undefined, state: 'off' }
    : { account, state: 'on' }
}

/**
 * A node that runs anyway looks after what the account of its home keeps, unless another process does
 * it. Disposing of it ends that. What goes wrong is logged and never ends the node.
 */
export function startNodeCare(care: NodeCare): AsyncDisposable {
  const { account } = care.secrets
  if (account === undefined) return NOTHING
  const stop = manyListeners(new AbortController())
  const ended = careUntil(stop.signal, { ...care, account })
  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the node ends'))
      await ended
    },
  }
}

async function careUntil(
  signal: AbortSignal,
  care: NodeCare & { account: AccountSecret },
): Promise<void> {
  while (!signal.aborted) {
    try {
      // Others that look after the same home go first: they were started for it.
      await using lock = await tryLock(care.files.careLock)
      if (lock !== undefined) await careOnce(signal, care)
    } catch (error) {
      if (signal.aborted) return
      const code = error instanceof HayloftError ? error.code : systemCodeOf(error)
      care.log.write('maintenance-failed', code === undefined ? 'a bug' : messageOf(error))
    }
    await sleep(systemClock, AGAIN_MS, signal).catch(() => undefined)
  }
}

async function careOnce(
  signal: AbortSignal,
  { files, secrets, account, grid, network, storage, log }: NodeCare & { account: AccountSecret },
): Promise<void> {
  const home = { files, secrets: async () => await Promise.resolve({ ...secrets, account }) }
  const shared = { network, own: grid, caller: callerWithSelf(network, storage) }
  await using client = await openClient(home, signal, { shared })
  const carer = openHomeCare(client, files, {
    onEvent: (event) => {
      const text = eventText(event, client.nameOf.bind(client))
      if (text !== undefined) log.write(`maintenance-${event.kind}`, text)
    },
  })
  await carer.run(signal)
}

/** A node cannot dial itself; what it is asked by its own home it answers without a network. */
function callerWithSelf(network: GridNetwork, storage: StorageService): Caller {
  return {
    async call(node, request, options = {}) {
      if (node !== network.self) return await network.call(node, request, options)
      options.signal?.throwIfAborted()
      const reply: Reply | Refusal = await storage.handle(network.self, request, options.signal)
      if (reply.op === 'refused') throw new RefusedError(node, reply)
      // A service replies to what it was asked.
      return reply
    },
  }
}

const NOTHING: AsyncDisposable = {
  async [Symbol.asyncDispose]() {
    await Promise.resolve()
  },
}
const AGAIN_MS = 10 * 60_000
