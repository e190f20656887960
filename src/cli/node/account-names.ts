import type { GridFile } from '../../home/grid-file.ts'

/** What people call an account: the names of its devices, or the start of its key where it has none any more. */
export type NameOfAccount = (account: string) => string

export function accountNames(grid: GridFile | undefined): NameOfAccount {
  const names = new Map<string, string[]>()
  for (const { account, name } of grid?.members ?? []) {
    names.set(account, [...(names.get(account) ?? []), name])
  }
  return (account) => names.get(account)?.join(', ') ?? `${account.slice(0, 12)}…`
}
