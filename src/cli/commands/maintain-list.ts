import { formatCapability } from '../../capabilities/text.ts'
import { systemRandomness } from '../../foundation/system.ts'
import { rootFolderOf } from '../../capabilities/account.ts'
import { describe } from '../../capabilities/describe.ts'
import { HomeCareMemory } from '../../home/care-memory.ts'
import { readAliases } from '../../home/alias-file.ts'
import { readCared, writeCared, type Cared } from '../../home/cared-file.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { isLocked } from '../../home/file-lock.ts'
import { HOME_ALIAS, type OpenedHome } from '../../home/opened-home.ts'
import { rootIdOf } from '../../grid/care/roots.ts'
import type { VerifyCapability } from '../../capabilities/capability.ts'
import { verifyOf } from '../../library/care.ts'
import { capabilityArgument } from '../arguments.ts'
import { stateSentence } from '../care/state-text.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { CliError, usageError } from '../failures.ts'
import { openOwnHome } from '../own-home.ts'
import type { Terminal } from '../terminal.ts'

interface Context {
  readonly files: HomeFiles
  readonly terminal: Terminal
}

/** Takes something on to look after, with no more than the power to verify it. */
export async function maintainAdd(
  request: { readonly capability: string; readonly name?: string | undefined },
  { files, terminal }: Context,
): Promise<ExitCode> {
  const given = await capabilityArgument(request.capability)
  if (given.kind === 'literal') {
    throw new CliError({
      exit: EXIT.usage,
      code: 'capability-not-weaker',
      message:
        'This capability holds the file itself, and no node stores it: there is nothing to look after.',
    })
  }
  const capability = verifyOf(given)
  const account = await openOwnHome(files).account()
  const cared = await readCared(files.cared, account)
  const name = request.name === undefined ? freeName(cared, capability) : checkName(request.name)
  if (cared.has(name)) {
    throw new CliError({
      exit: EXIT.cannotCreate,
      code: 'maintain-name-taken',
      message: `Something called ${name} is looked after already. Choose another --name.`,
    })
  }
  const changed = new Map(cared).set(name, capability)
  await writeCared(files.cared, changed, { account, randomness: systemRandomness })
  const { title } = describe(capability)
  if (terminal.json) {
    terminal.value({ name, kind: capability.kind, weakened: given.kind !== capability.kind })
    return EXIT.ok
  }
  terminal.line(`${name} is looked after from now on: ${title}.`)
  if (given.kind !== capability.kind) {
    terminal.note('Only the power to verify was kept; this home can neither read nor change it.')
  }
  if (!(await isLocked(files.careLock))) {
    terminal.note('Start "hayloft maintain", or a storage node in this home, so that it is.')
  }
  return EXIT.ok
}

interface Listed {
  readonly name: string
  readonly capability: VerifyCapability
  /** Own things are looked after without being added. */
  readonly isOwn: boolean
}

/** What is looked after, and how it was at the last visit. Asks no node. */
export async function maintainList(
  request: { readonly show: boolean },
  { files, terminal }: Context,
): Promise<ExitCode> {
  const memory = new HomeCareMemory(files.care)
  const rows: object[] = []
  for (const { name, capability, isOwn } of await listed(files, openOwnHome(files))) {
    const record = await memory.root(rootIdOf({ capability }))
    const { visitedMs = 0, renewedMs = 0, verifiedMs = 0, state } = record ?? {}
    rows.push({
      name,
      kind: capability.kind,
      own: isOwn,
      visited: isoOf(visitedMs),
      renewed: isoOf(renewedMs),
      verified: isoOf(verifiedMs),
      state: state ?? null,
      ...(request.show && { capability: formatCapability(capability) }),
    })
    if (terminal.json) continue
    const said =
      state === undefined
        ? visitedMs === 0
          ? 'Not visited yet.'
          : `Nothing was stored there when it was visited ${dayOf(visitedMs)}.`
        : `${stateSentence(state)} Visited ${dayOf(visitedMs)}.`
    terminal.line(`${name}  ${said}`)
    if (request.show) terminal.line(`  ${formatCapability(capability)}`)
  }
  if (terminal.json) terminal.value(rows)
  return EXIT.ok
}

/** Looks after something no longer. What it is stays where it is, as long as others keep it. */
export async function maintainRemove(
  request: { readonly name: string },
  { files, terminal }: Context,
): Promise<ExitCode> {
  const name = request.name.replace(/:$/, '')
  const account = await openOwnHome(files).account()
  const changed = new Map(await readCared(files.cared, account))
  if (name === HOME_ALIAS || (await readAliases(files.aliases, account)).has(name)) {
    throw usageError(
      `${name}: is this home's own and always looked after. What has no alias any more is not: "hayloft alias remove".`,
    )
  }
  if (!changed.delete(name)) {
    throw new CliError({
      exit: EXIT.inputMissing,
      code: 'maintain-unknown',
      message: `Nothing called ${name} is looked after. "hayloft maintain list" shows what is.`,
    })
  }
  await writeCared(files.cared, changed, { account, randomness: systemRandomness })
  if (terminal.json) terminal.value({ name })
  else {
    terminal.line(
      `${name} is not looked after any more. What nodes keep of it for this account they let go within 52 days.`,
    )
  }
  return EXIT.ok
}

async function listed(files: HomeFiles, home: OpenedHome): Promise<Listed[]> {
  const account = await home.account()
  const own = [
    [HOME_ALIAS, rootFolderOf(account)] as const,
    ...(await readAliases(files.aliases, account)),
  ]
  const rows: Listed[] = own.flatMap(([name, capability]) => {
    if (capability.kind === 'literal') return []
    return [{ name: `${name}:`, capability: verifyOf(capability), isOwn: true }]
  })
  for (const [name, capability] of await readCared(files.cared, account)) {
    rows.push({ name, capability, isOwn: false })
  }
  return rows
}

function checkName(text: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,63}$/.test(text)) return text
  throw usageError(
    'The option --name takes lower-case letters, digits, ".", "_" and "-", at most 64, and begins with a letter or digit.',
  )
}

/** `folder-1`, `file-2`, … */
function freeName(cared: Cared, { kind }: VerifyCapability): string {
  const noun = kind.replace(/-verify$/, '')
  for (let number = 1; ; number++) {
    const name = `${noun}-${number}`
    if (!cared.has(name)) return name
  }
}

function isoOf(timeMs: number): string | null {
  return timeMs === 0 ? null : new Date(timeMs).toISOString()
}

function dayOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 16).replace('T', ' ')
}
