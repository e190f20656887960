import { rootFolderOf } from '../../capabilities/account.ts'
import type { Capability } from '../../capabilities/capability.ts'
import { formatCapability } from '../../capabilities/text.ts'
import type { RenewReport } from '../../grid/maintenance/tree.ts'
import { readAliases } from '../../home/alias-file.ts'
import { HOME_ALIAS, type OpenedHome } from '../../home/opened-home.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { openFolderClient, type CommandContext } from '../folders/folder-client.ts'
import { storedAt } from '../folders/place-capability.ts'
import { openOwnHome } from '../own-home.ts'
import { placeArgument, type Place } from '../paths/place.ts'
import { withProgress } from '../progress.ts'
import { count, type Terminal } from '../terminal.ts'
import { describeTree, exitOf, tellSilent, tellTree, type NameOf } from '../tree-report.ts'

/**
 * Has nodes keep what places lead to for another 45 days; without any place, the account's root folder and whatever has
 * an alias. One that is lost does not keep the others from it.
 */
export async function renew(
  request: { readonly places: readonly string[] },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal } = context
  const home = openOwnHome(context.files)
  const places: Place[] = []
  for (const each of request.places) places.push(await placeArgument(each, home.findAlias))
  if (places.length === 0) places.push(...(await ownPlaces(home)))
  await using client = await openFolderClient(context, home)
  const nameOf = client.nameOf.bind(client)
  const found: { label: string; capability: Capability }[] = []
  for (const place of places) {
    const capability = await storedAt(place, 'read', { client, terminal, signal })
    found.push({ label: place.label, capability })
  }
  const renewed: object[] = []
  const statuses: ExitCode[] = []
  for (const { label, capability } of found) {
    const report =
      capability.kind === 'literal'
        ? NOTHING_TO_LEASE
        : await withProgress(terminal, `Renewing ${label}`, (onProgress) =>
            client.folders.renew(capability, { signal, onProgress }),
          )
    statuses.push(statusOf(report))
    const { sharesLeased, copiesLeased } = report
    renewed.push({
      place: label,
      ...describeTree(report, nameOf),
      sharesLeased,
      copiesLeased,
    })
    if (!terminal.json) tell(label, report, { terminal, nameOf })
  }
  if (terminal.json) terminal.value(renewed)
  return worstOf(statuses)
}

/** What of a home is renewed if nothing is named: each thing once, however many aliases it has. */
async function ownPlaces(home: OpenedHome): Promise<Place[]> {
  const account = await home.account()
  const aliases = await readAliases(home.files.aliases, account)
  const named: [string, Capability][] = [[HOME_ALIAS, rootFolderOf(account)], ...aliases]
  const seen = new Set<string>()
  return named.flatMap(([name, capability]) => {
    const text = formatCapability(capability)
    if (seen.has(text)) return []
    seen.add(text)
    return [{ capability, path: [], isDirectory: false, label: `${name}:` }]
  })
}

function tell(
  label: string,
  report: RenewReport,
  { terminal, nameOf }: { readonly terminal: Terminal; readonly nameOf: NameOf },
): void {
  const { sharesLeased, copiesLeased } = report
  const shares = count(sharesLeased, 'share')
  const copies = count(copiesLeased, 'copy', 'copies')
  terminal.line(`${label} ${shares} and ${copies} of slots are leased for another 45 days.`)
  if (report.healthy) tellSilent(report, terminal, nameOf)
  else {
    tellTree(report, terminal, nameOf)
    if (report.recoverable === true) terminal.line('"hayloft repair" brings back what is missing.')
  }
}

/** A node that did not answer has renewed nothing. */
function statusOf(report: RenewReport): ExitCode {
  const status = exitOf(report)
  return status === EXIT.ok && report.nodesSilent.length > 0 ? EXIT.degraded : status
}

function worstOf(statuses: readonly ExitCode[]): ExitCode {
  if (statuses.includes(EXIT.lost)) return EXIT.lost
  return statuses.includes(EXIT.degraded) ? EXIT.degraded : EXIT.ok
}

const NONE = { total: 0, healthy: 0, degraded: 0, lost: 0, unknown: 0 }

/** Of a file that its capability holds. */
const NOTHING_TO_LEASE: RenewReport = {
  recoverable: true,
  healthy: true,
  blocks: NONE,
  slots: NONE,
  sharesMissing: 0,
  copiesMissing: 0,
  bytes: 0,
  broken: 0,
  pastGone: 0,
  nodesAnswered: [],
  nodesSilent: [],
  sharesLeased: 0,
  copiesLeased: 0,
}
