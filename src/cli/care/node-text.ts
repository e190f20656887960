import type { CareMemory } from '../../grid/care/memory.ts'
import {
  availabilityOf,
  isDistrusted,
  isGone,
  isMeasured,
  TYPICAL_AVAILABILITY,
  type NodeHistory,
} from '../../grid/care/node-history.ts'
import type { StorageNodeInfo } from '../../grid/view.ts'
import type { Client } from '../../library/client.ts'
import { nodeLabel, ownerOf } from '../../library/node-names.ts'
import { count } from '../terminal.ts'

/** What people should know of single nodes. */
export async function nodeLines(
  client: Client,
  memory: CareMemory,
  nowMs: number,
): Promise<string[]> {
  const lines: string[] = []
  for (const { node, history } of await nodesOf(client, memory)) {
    if (history === undefined) continue
    const name = nodeLabel(client.membership, node.key)
    if (isDistrusted(history)) {
      const tried = Math.round(history.good + history.bad)
      const failed = Math.round(history.bad)
      lines.push(
        `${name} has a bad reputation: it failed ${failed} of ${count(tried, 'audit')}. It is asked last, gets nothing new ` +
          'while others can take it, and what it says to keep is not counted. Ask whoever runs it to look at its disk.',
      )
    } else if (isGone(history)) {
      const days = Math.floor((nowMs - (history.probedMs - history.awayMs)) / DAY_MS)
      const since = days >= 1 ? `for ${count(days, 'day')}` : 'since yesterday'
      lines.push(
        `${name} has been away ${since}: what it keeps is made anew elsewhere. If it comes back, it is welcome.`,
      )
    } else if (availabilityOf(history) < OFTEN_OFF) {
      lines.push(
        `${name} is there ${Math.round(availabilityOf(history) * 100)} % of the time; left on more, it would help more.`,
      )
    }
  }
  return lines
}

/** Of chances that rest on what is presumed of any node rather than on what was measured of these. */
export async function presumptionLines(client: Client, memory: CareMemory): Promise<string[]> {
  const nodes = await nodesOf(client, memory)
  const young = nodes.filter(({ history }) => !isMeasured(history))
  if (young.length === 0) return []
  const which =
    young.length === nodes.length
      ? 'No node was watched for a day yet'
      : `${young.length} of ${count(nodes.length, 'node')} were not watched for a day yet`
  const typical = Math.round(TYPICAL_AVAILABILITY * 100)
  return [
    `${which}: the chances rest on what is presumed of such a node, that it is there ${typical} % of the time and stays for ` +
      'a year on average.',
  ]
}

/** The same for programs. */
export async function jsonOfNodes(client: Client, memory: CareMemory): Promise<object[]> {
  return (await nodesOf(client, memory)).map(({ node, history }) => ({
    node: node.name,
    owner: ownerOf(client.membership, node.key) ?? null,
    zone: node.zone,
    measured: isMeasured(history),
    watchedS: Math.round(((history?.upMs ?? 0) + (history?.downMs ?? 0)) / 1000),
    availability: availabilityOf(history),
    away: (history?.misses ?? 0) > 0,
    gone: isGone(history),
    auditsPassed: history?.good ?? 0,
    auditsFailed: history?.bad ?? 0,
    distrusted: isDistrusted(history),
  }))
}

async function nodesOf(
  { membership }: Client,
  memory: CareMemory,
): Promise<{ node: StorageNodeInfo; history: NodeHistory | undefined }[]> {
  const histories = new Map((await memory.nodes()).map((history) => [history.node, history]))
  return membership.nodes.map((node) => ({ node, history: histories.get(node.key) }))
}

const DAY_MS = 24 * 3_600_000
const OFTEN_OFF = 0.6
