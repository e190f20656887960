import type { RootState } from '../../grid/care/memory.ts'
import { defaultCode } from '../../grid/placement/defaults.ts'
import { count } from '../terminal.ts'

/** How safe something is, in a sentence. */
export function stateSentence(state: RootState): string {
  const { recoverable, mayVanish, households } = state
  if (state.lost > 0 || recoverable === false) return 'Some of it cannot be read: it may be lost.'
  if (recoverable === 'unknown') {
    return 'Too few nodes answer to tell how it is; what is missing may be on those that are away.'
  }
  if (state.blocks + state.slots === 0) return 'There is nothing to lose yet.'
  const of = count(households, 'household')
  if (mayVanish <= 0) {
    return households === 1
      ? 'At risk: all of it is in one household, and goes with it.'
      : `At risk: if one of its ${of} vanishes, some of it may be lost.`
  }
  const missing = state.sharesMissing > 0 ? ', though some shares lack a node of their own' : ''
  return `Safe: any ${mayVanish} of its ${of} may vanish and all of it can still be read${missing}.`
}

/** A chance as people say it. */
export function chanceText(chance: number): string {
  if (chance >= 0.995) return 'certain'
  if (chance >= 0.1) return `about ${Math.round(chance * 100)} %`
  if (chance < 1e-9) return 'less than one in a billion'
  const oneIn = Math.round(1 / chance)
  const digits = Math.max(0, Math.floor(Math.log10(oneIn)) - 1)
  const rounded = Math.round(oneIn / 10 ** digits) * 10 ** digits
  return `about one in ${rounded.toLocaleString('en-US')}`
}

/** From how many households on what is stored is kept so that more of them may vanish. */
function laterHelp({ households, mayVanish }: RootState): string[] {
  for (let more = 1; more <= MOST_MORE; more++) {
    const zones = households + more
    const nodes = Array.from({ length: zones }, (_, at) => ({ zone: `${at}` }))
    const { required, total } = defaultCode(nodes)
    if (total - required <= mayVanish) continue
    const who = more === 1 ? 'one more household' : `${more} more households`
    return [
      `With ${who}, what is stored from then on would survive that ${total - required} vanish.`,
    ]
  }
  return []
}

/** Nobody invites more friends than that because a program says so. */
const MOST_MORE = 3

/** What would make it safer, the most pressing first; empty if nothing would much. */
export function helpSentences(
  state: RootState,
  { label, isMaintained }: { label: string; isMaintained: boolean },
): string[] {
  const help: string[] = []
  if (state.lost > 0) {
    help.push(
      'Have everyone turn their nodes on, then look again: "hayloft check" tells what is missing.',
    )
  }
  if (state.lost === 0 && state.sharesMissing > 0) {
    help.push(
      isMaintained
        ? `${count(state.sharesMissing, 'share')} too few on nodes of their own: placed by themselves as nodes and the day's budget allow.`
        : `${count(state.sharesMissing, 'share')} too few on nodes of their own: "hayloft repair ${label}" places what there are nodes for.`,
    )
  }
  if (state.lost === 0 && state.blocks + state.slots > 0) {
    const { mayVanish, mayVanishWithOneMore: more } = state
    if (more > mayVanish) help.push(`One more household would let ${more} vanish.`)
    else help.push(...laterHelp(state))
  }
  return help
}
