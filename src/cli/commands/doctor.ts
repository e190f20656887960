import { systemClock, systemRandomness } from '../../foundation/system.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { readNodeFile } from '../../home/node-file.ts'
import { readOwnGrid } from '../../home/own-grid.ts'
import { readRunning, type RunningFile } from '../../home/running-file.ts'
import type { Diagnosis } from '../../network/paths/diagnosis.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { nodeLabel, ownerOf, SHOWN_DIGITS } from '../../library/node-names.ts'
import { storageDevices } from '../doctor/storage-devices.ts'
import { diskOf, type Examination } from '../doctor/examination.ts'
import { findingsOf, SAID_OF_PATH, type Finding } from '../doctor/findings.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { askNode } from '../node/operator-client.ts'
import { openOwnClient } from '../own-home.ts'
import { printableName, type Terminal } from '../terminal.ts'

/** Looks at everything that may keep this device and other members apart, and says what to do. */
export async function doctor({
  files,
  terminal,
  signal,
}: {
  readonly files: HomeFiles
  readonly terminal: Terminal
  readonly signal: AbortSignal
}): Promise<ExitCode> {
  const settings = await readNodeFile(files.node)
  const running = await readRunning(files.running)
  terminal.note('Trying the ways to the other members. This takes some seconds.')
  const { diagnosis, membership } =
    running === undefined ? await byClient(files, signal) : await byNode(files, running, signal)
  const stopped = settings === undefined ? 'client' : 'stopped-node'
  const examination: Examination = {
    home: files.home,
    role: running === undefined ? stopped : 'node',
    diagnosis,
    disk: await diskOf(files, settings !== undefined),
    settings,
  }
  const findings = findingsOf(examination)
  if (terminal.json) terminal.value(described(examination, findings, membership))
  else show(terminal, { diagnosis, findings, membership })
  return findings.some(({ verdict }) => verdict === 'problem') ? EXIT.degraded : EXIT.ok
}

interface Asked {
  readonly diagnosis: Diagnosis
  readonly membership: Membership | undefined
}

/** The node that runs here has the connections, and the identity. */
async function byNode(files: HomeFiles, running: RunningFile, signal: AbortSignal): Promise<Asked> {
  const diagnosis = (await askNode(running, { op: 'doctor' }, { signal })) as Diagnosis
  const membership = (await readOwnGrid(files, systemClock))?.membership
  return { diagnosis, membership }
}

async function byClient(files: HomeFiles, signal: AbortSignal): Promise<Asked> {
  await using client = await openOwnClient(files, signal, undefined, { withOwnHost: true })
  const { membership } = client
  const diagnosis = await client.network.diagnose(storageDevices(membership), {
    randomness: systemRandomness,
    signal,
  })
  return { diagnosis, membership }
}

function described(
  { home, role, diagnosis, disk }: Examination,
  findings: readonly Finding[],
  membership: Membership | undefined,
): object {
  const nameOf = (node: NodeKey): string =>
    membership?.deviceName(node) ?? node.slice(0, SHOWN_DIGITS)
  const { members, mapping, reachability, clockAheadMs } = diagnosis
  return {
    home,
    role,
    reachable: role === 'node' ? reachability.reachable : null,
    why: role === 'node' ? reachability.why : null,
    listening: diagnosis.listening ?? null,
    seenHosts: diagnosis.seenHosts,
    router: diagnosis.router,
    portMapping: mapping.kind,
    external: mapping.kind === 'mapped' ? mapping.external : null,
    relays: diagnosis.relays.map(nameOf),
    relaysForOthers: diagnosis.serves.relay,
    clockAheadMs: clockAheadMs === undefined ? null : Math.round(clockAheadMs),
    disk,
    members: members.map(({ node, path, open, roundTripMs, address, why }) => ({
      name: nameOf(node),
      owner: ownerOf(membership, node) ?? null,
      node,
      path,
      open,
      roundTripMs: roundTripMs === undefined ? null : Math.round(roundTripMs * 10) / 10,
      address: address ?? null,
      why: why ?? null,
    })),
    findings,
  }
}

function show(
  terminal: Terminal,
  { diagnosis, findings, membership }: Asked & { readonly findings: readonly Finding[] },
): void {
  for (const { about, verdict, says, advice } of findings) {
    terminal.line(`${MARK[verdict]} ${TITLE[about].padEnd(12)} ${says}`)
    if (advice !== undefined) terminal.line(`${' '.repeat(15)}${advice}`)
  }
  const rows = diagnosis.members.map(({ node, path, roundTripMs, why }) => [
    printableName(nodeLabel(membership, node)),
    SAID_OF_PATH[path],
    roundTripMs === undefined ? (why ?? '') : `${Math.max(1, Math.round(roundTripMs))} ms`,
  ])
  if (rows.length === 0) return
  const [first = 0, second = 0] = [0, 1].map((column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  terminal.line('')
  for (const [name = '', path = '', rest = ''] of rows) {
    terminal.line(`  ${name.padEnd(first)}  ${path.padEnd(second)}  ${rest}`)
  }
}

const MARK: Readonly<Record<Finding['verdict'], string>> = { fine: 'ok', note: '- ', problem: '! ' }
const TITLE: Readonly<Record<Finding['about'], string>> = {
  reachable: 'Reachable',
  router: 'Router',
  members: 'Members',
  relays: 'Relays',
  clock: 'Clock',
  disk: 'Disk',
}
