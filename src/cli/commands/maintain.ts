import { systemClock } from '../../foundation/system.ts'
import type { CareEvent } from '../../grid/care/events.ts'
import type { RootState } from '../../grid/care/memory.ts'
import { openHomeCare } from '../../library/care.ts'
import { takeCareLock } from '../care/care-lock.ts'
import { eventJson, eventText } from '../care/event-text.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { openOwnHome } from '../own-home.ts'

/**
 * Looks after all that a home has and has taken on, until it is told to end; or once does what is due. Then the status
 * tells how it found and left things.
 */
export async function maintain(
  request: { readonly once: boolean; readonly budgetBytes?: number | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  const { files, terminal, signal } = context
  const home = openOwnHome(files)
  await home.account()
  await using _lock = await takeCareLock(files)
  await using client = await openFolderClient(context, home)
  const nameOf = client.nameOf.bind(client)
  const states = new Map<string, RootState>()
  let hasFailed = false
  const onEvent = (event: CareEvent): void => {
    if (event.kind === 'visited') states.set(event.root, event.state)
    hasFailed ||= event.kind === 'failed' || (event.kind === 'probed' && event.there === 0)
    const nowMs = systemClock.nowMs()
    if (terminal.json) {
      terminal.line(JSON.stringify(eventJson(event, nameOf, nowMs)))
      return
    }
    const text = eventText(event, nameOf)
    if (text !== undefined) terminal.line(`${timeOf(nowMs)} ${text}`)
  }
  const { budgetBytes } = request
  const carer = openHomeCare(client, files, { onEvent, budgetBytes })
  if (!request.once) {
    terminal.note('Looking after what this home keeps, until Ctrl-C.')
    try {
      await carer.run(signal)
    } catch (thrown) {
      // To be told to end is how it ends.
      if (!signal.aborted) throw thrown
    }
    return EXIT.ok
  }
  await carer.once(signal)
  if (states.size === 0 && !hasFailed) terminal.note('Nothing was due but a look at who is there.')
  const found = [...states.values()]
  if (found.some(({ lost }) => lost > 0)) return EXIT.lost
  return hasFailed || found.some(({ healthy }) => !healthy) ? EXIT.degraded : EXIT.ok
}

function timeOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 19).replace('T', ' ')
}
