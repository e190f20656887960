import type { SyncChoice } from '../../gateway/daemon/sync-list.ts'
import { printableName } from '../terminal.ts'

/** Undefined where all is synced. */
export function choiceText({ only, except }: SyncChoice): string | undefined {
  const parts = [
    ...(only.length === 0 ? [] : [`only ${only.map(printableName).join(', ')}`]),
    ...(except.length === 0 ? [] : [`all but ${except.map(printableName).join(', ')}`]),
  ]
  return parts.length === 0 ? undefined : parts.join('; of that ')
}
