import type { SetBackState } from '../../grid/slots/set-back.ts'
import { printableName, type Terminal } from '../terminal.ts'
import { formatTime } from './times.ts'

/** Says what of something is the present state now, and what is gone. */
export function tellAccepted(
  {
    kept,
    gone,
    durability,
  }: {
    readonly kept: SetBackState | undefined
    readonly gone: SetBackState | undefined
    readonly durability: string
  },
  { label, terminal }: { readonly label: string; readonly terminal: Terminal },
): void {
  if (terminal.json) {
    const health = durability === 'degraded' ? 'degraded' : 'healthy'
    terminal.value({ place: label, kept: described(kept), gone: described(gone), health })
    return
  }
  terminal.line(`${label} is now what it was: ${said(kept)}.`)
  terminal.note(
    `Gone is what it was last: ${said(gone)}. "hayloft history ${label}" still names it, and "hayloft restore" brings it ` +
      'back if nodes return that have it. What you have of it elsewhere, put again.',
  )
}

function described(state: SetBackState | undefined): object | null {
  if (state === undefined) return null
  const time = new Date(state.timeMs)
  return { time: Number.isNaN(time.getTime()) ? null : time.toISOString(), device: state.device }
}

function said(state: SetBackState | undefined): string {
  if (state === undefined) return 'an empty folder'
  const by = state.device === '' ? '' : ` by ${printableName(state.device)}`
  return `the state of ${formatTime(state.timeMs, { seconds: true })}${by}`
}
