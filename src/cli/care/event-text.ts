import type { CareEvent } from '../../grid/care/events.ts'
import { count, formatBytes } from '../terminal.ts'
import type { NameOf } from '../tree-report.ts'
import { stateSentence } from './state-text.ts'

/** A line for people; undefined for what only programs want to know. */
export function eventText(event: CareEvent, nameOf: NameOf): string | undefined {
  switch (event.kind) {
    case 'probed':
      return event.there === 0 ? 'No storage node answers.' : undefined
    case 'gone':
      return `${nameOf(event.node)} has been away for too long: what it keeps is not counted on any more.`
    case 'back':
      return `${nameOf(event.node)} is back.`
    case 'audited':
      return event.bad === 0
        ? undefined
        : `${nameOf(event.node)} failed ${event.bad} of ${count(event.good + event.bad, 'audit')}.`
    case 'distrusted':
      return (
        `${nameOf(event.node)} does not have what it says to keep: its word does not count any more, and its shares are ` +
        'made anew elsewhere. Tell whoever runs it to look at its disk.'
      )
    case 'trusted':
      return `${nameOf(event.node)} has not failed for long: its word counts again.`
    case 'visited':
      return visitedText(event)
    case 'drilled':
      return (
        `${event.root} ${event.whole} of ${count(event.tried, event.what.slice(0, -1))} chosen by chance came whole ` +
        `(${formatBytes(event.bytes)}).`
      )
    case 'failed':
      return `${FAILED[event.what] ?? 'Something'} did not work out and is tried again later: ${event.message}`
  }
}

const FAILED: Readonly<Record<string, string>> = {
  probe: 'Asking who is there',
  visit: 'A visit',
  audit: 'An audit',
  drill: 'A drill',
}

function visitedText(event: CareEvent & { kind: 'visited' }): string {
  const { root, state, renewed, sharesPlaced, copiesPlaced, sharesMoved } = event
  const { surplusDropped, deferredBytes } = event
  const done = [
    renewed ? 'leases renewed' : '',
    sharesPlaced > 0 ? `${count(sharesPlaced, 'share')} made anew` : '',
    copiesPlaced > 0 ? `${count(copiesPlaced, 'copy', 'copies')} of slots placed` : '',
    sharesMoved > 0 ? `${count(sharesMoved, 'share')} moved` : '',
    surplusDropped > 0 ? `${count(surplusDropped, 'surplus share')} given up` : '',
    deferredBytes > 0 ? `${formatBytes(deferredBytes)} of repairs wait for tomorrow's budget` : '',
  ].filter((part) => part !== '')
  return `${root} ${stateSentence(state)}${done.length > 0 ? ` (${done.join(', ')})` : ''}`
}

/** The same for programs. */
export function eventJson(event: CareEvent, nameOf: NameOf, nowMs: number): object {
  const time = new Date(nowMs).toISOString()
  return 'node' in event ? { time, ...event, node: nameOf(event.node) } : { time, ...event }
}
