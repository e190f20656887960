import { mapConcurrently } from '../../foundation/concurrency.ts'
import { HayloftError } from '../../foundation/error.ts'
import type { Client } from '../../library/client.ts'
import { accountName } from '../../protocol/account-name.ts'
import type { ReplyOf } from '../../protocol/messages.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { balanceOf, reciprocityOf, type NodeBooks, type Reciprocity } from '../grid/reciprocity.ts'
import { accountLabels, accountNames, type NameOfAccount } from '../node/account-names.ts'
import type { NodeCommandContext } from '../node/require-node.ts'
import { openOwnClient } from '../own-home.ts'
import { count, formatBytes, printableName, type Terminal } from '../terminal.ts'

/** Nodes asked at once; each may take some seconds not to answer. */
const ASK_CONCURRENCY = 16

/** Asks all nodes how full they are and by whom, and adds up who gives and who takes. Status 1 if some do not answer. */
export async function gridStatus({
  files,
  terminal,
  signal,
}: NodeCommandContext): Promise<ExitCode> {
  await using client = await openOwnClient(files, signal)
  const { membership } = client
  const nodes = await mapConcurrently(
    membership.nodes,
    ASK_CONCURRENCY,
    async (node) => await askStat(client, node, signal),
  )
  nodes.sort((a, b) => (a.name < b.name ? -1 : 1))
  const members = membership.members.filter(({ status }) => status === 'in')
  const ledger = reciprocityOf(
    nodes.map(booksOf),
    members.map(({ account }) => account),
  )
  if (terminal.json) {
    const nameOf = accountNames(membership)
    terminal.value({
      grid: client.file.name,
      nodes: nodes.map((node) => describeNode(node, nameOf)),
      members: ledger.map((row) => describeRow(row, nameOf)),
    })
  } else {
    const nameOf = accountLabels(membership)
    tell(terminal, { grid: client.file.name, nodes, ledger, nameOf })
  }
  return nodes.every(({ stat }) => stat !== undefined) ? EXIT.ok : EXIT.degraded
}

interface AskedNode {
  readonly key: NodeKey
  readonly name: string
  readonly zone: string
  readonly owner: string
  readonly offeredBytes: number
  readonly stat: ReplyOf<'stat'> | undefined
}

async function askStat(
  { network, membership }: Client,
  { key, name, zone, capacityBytes }: Client['membership']['nodes'][number],
  signal: AbortSignal,
): Promise<AskedNode> {
  const owner = membership.accountOf(key) ?? ''
  const about = { key, name, zone, owner, offeredBytes: capacityBytes }
  try {
    const stat = await network.call<'stat'>(key, { op: 'stat', accounts: true }, { signal })
    // What it says itself is newer than what it has announced.
    return { ...about, offeredBytes: stat.capacityBytes, stat }
  } catch (error) {
    signal.throwIfAborted()
    // Away, cut off, or not willing: it has told nothing. Our own bugs must come out.
    if (!(error instanceof HayloftError)) throw error
    return { ...about, stat: undefined }
  }
}

function booksOf({ owner, offeredBytes, stat }: AskedNode): NodeBooks {
  const usage = stat?.accounts?.map(({ account, usedBytes, handedBytes }) => ({
    account: accountName(account),
    bytes: usedBytes + handedBytes,
  }))
  return { owner, offeredBytes, usage }
}

function describeNode(
  { key, name, zone, owner, offeredBytes, stat }: AskedNode,
  nameOf: NameOfAccount,
): object {
  return {
    node: key,
    name,
    zone,
    owner,
    ownerName: nameOf(owner),
    offeredBytes,
    answers: stat !== undefined,
    usedBytes: stat?.usedBytes ?? null,
    freeBytes: stat?.freeBytes ?? null,
    accounts:
      stat?.accounts?.map(({ account, usedBytes, handedBytes, quotaBytes }) => ({
        account: accountName(account),
        usedBytes,
        handedBytes,
        quotaBytes: quotaBytes ?? null,
      })) ?? null,
  }
}

function describeRow(row: Reciprocity, nameOf: NameOfAccount): object {
  return { ...row, name: nameOf(row.account), balance: balanceOf(row) }
}

function tell(
  terminal: Terminal,
  {
    grid,
    nodes,
    ledger,
    nameOf,
  }: {
    readonly grid: string
    readonly nodes: readonly AskedNode[]
    readonly ledger: readonly Reciprocity[]
    readonly nameOf: NameOfAccount
  },
): void {
  const answers = nodes.filter(({ stat }) => stat !== undefined).length
  terminal.line(`${printableName(grid)}: ${answers} of ${count(nodes.length, 'node')} answer.`)
  const width = Math.max(0, ...nodes.map(({ name }) => printableName(name).length))
  for (const { name, zone, owner, offeredBytes, stat } of nodes) {
    const who = `${printableName(nameOf(owner))}, in ${printableName(zone)}`
    const state =
      stat === undefined
        ? 'does not answer'
        : `keeps ${formatBytes(stat.usedBytes)}, ${formatBytes(stat.freeBytes)} free`
    const offer = offeredBytes === 0 ? 'offers nothing' : `offers ${formatBytes(offeredBytes)}`
    terminal.line(`  ${printableName(name).padEnd(width)}  ${offer}, ${state}  (${who})`)
  }
  terminal.line('')
  for (const row of ledger) for (const line of rowLines(row, nameOf)) terminal.line(line)
  if (answers < nodes.length) {
    terminal.note('Nodes that do not answer are left out, so the true sums may be larger.')
  }
}

function rowLines(row: Reciprocity, nameOf: NameOfAccount): string[] {
  const { account, offersBytes, keepsForOthersBytes: keeps, storesWithOthersBytes: stores } = row
  const lines = [`${printableName(nameOf(account))} ${sentenceOf(row)}`]
  lines.push(
    `  offers ${formatBytes(offersBytes)}, keeps ${formatBytes(keeps)} for others, ` +
      `stores ${formatBytes(stores)} with others`,
  )
  const shown = row.with.slice(0, MAX_SHOWN_PARTNERS)
  if (shown.length > 0) {
    const rest = row.with.length - shown.length
    const named = shown.map(
      ({ account: other, bytes }) => `${formatBytes(bytes)} with ${printableName(nameOf(other))}`,
    )
    lines.push(`  ${named.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`)
  }
  return lines
}

const MAX_SHOWN_PARTNERS = 6

function sentenceOf(row: Reciprocity): string {
  const { kind, bytes } = balanceOf(row)
  const tooMuch =
    row.storesWithOthersBytes > row.offersBytes ? ', and stores more than they offer' : ''
  switch (kind) {
    case 'nothing':
      return 'neither gives nor takes yet.'
    case 'even':
      return `gives about as much as they take${tooMuch}.`
    case 'gives':
      return `gives ${formatBytes(bytes)} more than they take${tooMuch}.`
    case 'takes':
      return `takes ${formatBytes(bytes)} more than they give${tooMuch}.`
  }
}
