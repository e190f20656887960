import { resolve } from 'node:path'
import { formatCapability } from '../../capabilities/text.ts'
import { DaemonClient } from '../../gateway/api/client.ts'
import { findEntry } from '../../gateway/daemon/sync-entries.ts'
import {
  addSync,
  forgetSync,
  pauseSyncs,
  removeSync,
  revertSync,
  selectSync,
  type SyncChoice,
} from '../../gateway/daemon/sync-list.ts'
import { reportOf, syncReports, type SyncReport } from '../../gateway/daemon/sync-report.ts'
import { readSyncs, type SyncEntry } from '../../home/sync-file.ts'
import type { HomeFiles } from '../../home/layout.ts'
import type { OpenedHome } from '../../home/opened-home.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import type { Place } from '../paths/place.ts'

/** The syncs of a home, for commands: through the daemon while it runs, and otherwise as the home's files have them. */
export interface SyncControl {
  /** Whether the daemon runs, so that anything is synced now. */
  readonly isRunning: boolean
  add(
    directory: string,
    place: Place,
    choice: SyncChoice,
  ): Promise<{ sync: SyncReport; isNew: boolean }>
  select(sync: SyncReport, choice: SyncChoice): Promise<void>
  /** @throws SyncRefusedError: its folder may be written */
  revert(sync: SyncReport, paths: readonly string[] | 'all'): Promise<void>
  remove(sync: SyncReport): Promise<void>
  pause(sync: SyncReport, how: { isPaused: boolean; allowRemovals: boolean }): Promise<void>
  all(): Promise<SyncReport[]>
  /** Has both sides looked at. */
  look(sync: SyncReport): Promise<void>
}

/** What an argument names, or all. @throws SyncRefusedError */
export async function chosenSyncs(
  control: SyncControl,
  directory: string | undefined,
): Promise<SyncReport[]> {
  const all = await control.all()
  return directory === undefined ? all : [await findEntry(directory, all)]
}

export async function openSyncControl(
  context: CommandContext,
  home: OpenedHome,
): Promise<SyncControl> {
  const daemon = await DaemonClient.find(context.files)
  return daemon === undefined
    ? new LocalSyncs(context, home)
    : new DaemonSyncs(daemon, context.signal)
}

class DaemonSyncs implements SyncControl {
  readonly isRunning = true
  readonly #daemon: DaemonClient
  readonly #signal: AbortSignal

  constructor(daemon: DaemonClient, signal: AbortSignal) {
    this.#daemon = daemon
    this.#signal = signal
  }

  async add(
    directory: string,
    { capability, path, label }: Place,
    choice: SyncChoice,
  ): Promise<{ sync: SyncReport; isNew: boolean }> {
    const place = { capability: formatCapability(capability), path: path.join('/') }
    const body = { directory: resolve(directory), place, label, ...choice }
    const added = await this.#ask('/v1/syncs', { method: 'POST', body })
    return added as { sync: SyncReport; isNew: boolean }
  }

  async select({ id }: SyncReport, { only, except }: SyncChoice): Promise<void> {
    await this.#ask(`/v1/syncs/${id}/select`, { method: 'POST', body: { only, except } })
  }

  async revert({ id }: SyncReport, paths: readonly string[] | 'all'): Promise<void> {
    const body = paths === 'all' ? {} : { paths }
    await this.#ask(`/v1/syncs/${id}/revert`, { method: 'POST', body })
  }

  async remove({ id }: SyncReport): Promise<void> {
    await this.#ask(`/v1/syncs/${id}`, { method: 'DELETE' })
  }

  async pause(
    { id }: SyncReport,
    { isPaused, allowRemovals }: { isPaused: boolean; allowRemovals: boolean },
  ): Promise<void> {
    if (isPaused) await this.#ask(`/v1/syncs/${id}/pause`, { method: 'POST' })
    else await this.#ask(`/v1/syncs/${id}/resume`, { method: 'POST', body: { allowRemovals } })
  }

  async all(): Promise<SyncReport[]> {
    const { syncs } = (await this.#ask('/v1/syncs', {})) as { syncs: SyncReport[] }
    return syncs
  }

  async look({ id }: SyncReport): Promise<void> {
    await this.#ask(`/v1/syncs/${id}/look`, { method: 'POST' })
  }

  async #ask(
    path: string,
    request: { method?: 'POST' | 'DELETE'; body?: object },
  ): Promise<unknown> {
    return await this.#daemon.ask(path, { ...request, signal: this.#signal })
  }
}

class LocalSyncs implements SyncControl {
  readonly isRunning = false
  readonly #context: CommandContext
  readonly #files: HomeFiles
  readonly #home: OpenedHome

  constructor(context: CommandContext, home: OpenedHome) {
    this.#context = context
    this.#files = context.files
    this.#home = home
  }

  async add(
    directory: string,
    place: Place,
    choice: SyncChoice,
  ): Promise<{ sync: SyncReport; isNew: boolean }> {
    const [files, account] = [this.#files, await this.#home.account()]
    await using client = await openFolderClient(this.#context, this.#home)
    const { label } = place
    const request = { directory, place, label, ...choice }
    const { entry, isNew } = await addSync(
      request,
      { files, account, client },
      this.#context.signal,
    )
    return { sync: await reportOf({ files, account }, entry), isNew }
  }

  async select({ id }: SyncReport, choice: SyncChoice): Promise<void> {
    await selectSync(await this.#listHome(), { id }, choice)
  }

  async revert({ id }: SyncReport, paths: readonly string[] | 'all'): Promise<void> {
    const home = await this.#listHome()
    for (const entry of await this.#entries([id])) await revertSync(home, entry, paths)
  }

  async remove({ id }: SyncReport): Promise<void> {
    const home = await this.#listHome()
    for (const entry of await this.#entries([id])) {
      await removeSync(home, entry)
      await forgetSync(home, entry)
    }
  }

  async pause(
    { id }: SyncReport,
    how: { isPaused: boolean; allowRemovals: boolean },
  ): Promise<void> {
    await pauseSyncs(await this.#listHome(), await this.#entries([id]), how)
  }

  async all(): Promise<SyncReport[]> {
    return await syncReports(await this.#listHome())
  }

  /** Nothing syncs now. */
  async look(): Promise<void> {
    await Promise.resolve()
  }

  async #entries(ids: readonly string[]): Promise<SyncEntry[]> {
    const { files, account } = await this.#listHome()
    return (await readSyncs(files.syncs, account)).filter(({ id }) => ids.includes(id))
  }

  async #listHome(): Promise<{
    files: HomeFiles
    account: Awaited<ReturnType<OpenedHome['account']>>
  }> {
    return { files: this.#files, account: await this.#home.account() }
  }
}
