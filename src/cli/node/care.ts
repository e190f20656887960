import type { AccountSecret } from '../../capabilities/account.ts'
import { manyListeners } from '../../foundation/abort.ts'
import { sleep } from '../../foundation/clock.ts'
import { HayloftError, messageOf, systemCodeOf } from '../../foundation/error.ts'
import { systemClock } from '../../foundation/system.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { tryLock } from '../../home/file-lock.ts'
import { placeOfSecrets, readSecrets } from '../../home/key-store.ts'
import { openHomeCare } from '../../library/care.ts'
import { openClient, type Client, type SharedNetwork } from '../../library/client.ts'
import { eventText } from '../care/event-text.ts'
import type { NodeLog } from '../node-log.ts'
import { askPassphrase } from '../passphrase.ts'
import type { NodeSettings } from './settings.ts'

interface NodeCare {
  readonly files: HomeFiles
  /** No account: nothing is looked after, see {@link accountForCare}. */
  readonly secrets: { readonly identity: Uint8Array; readonly account: AccountSecret | undefined }
  readonly shared: SharedNetwork
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
export function startNodeCare({ files, secrets, shared, log }: NodeCare): AsyncDisposable {
  const { account } = secrets
  if (account === undefined) return NOTHING
  return startCare({ files, log }, async (signal, care) => {
    const home = { files, secrets: async () => await Promise.resolve({ ...secrets, account }) }
    await using client = await openClient(home, signal, { shared })
    await care(client)
  })
}

/**
 * Looks after a home as {@link startNodeCare} does.
 * @param withClient - gives a client each time that it begins
 */
export function startCare(
  home: Pick<NodeCare, 'files' | 'log'>,
  withClient: (signal: AbortSignal, care: (client: Client) => Promise<void>) => Promise<void>,
): AsyncDisposable {
  const { files, log } = home
  const stop = manyListeners(new AbortController())
  const ended = careUntil(stop.signal, home, async () => {
    await withClient(stop.signal, async (client) => {
      const carer = openHomeCare(client, files, {
        onEvent: (event) => {
          const text = eventText(event, client.nameOf.bind(client))
          if (text !== undefined) log.write(`maintenance-${event.kind}`, text)
        },
      })
      await carer.run(stop.signal)
    })
  })
  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the node ends'))
      await ended
    },
  }
}

async function careUntil(
  signal: AbortSignal,
  { files, log }: Pick<NodeCare, 'files' | 'log'>,
  careOnce: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      // Others that look after the same home go first: they were started for it.
      await using lock = await tryLock(files.careLock)
      if (lock !== undefined) await careOnce()
    } catch (error) {
      if (signal.aborted) return
      const code = error instanceof HayloftError ? error.code : systemCodeOf(error)
      log.write('maintenance-failed', code === undefined ? 'a bug' : messageOf(error))
    }
    await sleep(systemClock, AGAIN_MS, signal).catch(() => undefined)
  }
}

const NOTHING: AsyncDisposable = {
  async [Symbol.asyncDispose]() {
    await Promise.resolve()
  },
}
const AGAIN_MS = 10 * 60_000
