import { accountKeyOf, type AccountSecret } from '../capabilities/account.ts'
import { formatRecoveryKey, recoveryWords } from '../capabilities/recovery.ts'
import { toHex } from '../foundation/bytes.ts'
import type { Terminal } from './terminal.ts'

/** What to write down. Only for commands whose user asked to see it. */
export function printRecoveryKey(account: AccountSecret, terminal: Terminal): void {
  terminal.line('The recovery key of this account, as 24 words:')
  terminal.line('')
  for (const row of rowsOf(recoveryWords(account))) terminal.line(`  ${row}`)
  terminal.line('')
  terminal.line('and the same in one word:')
  terminal.line('')
  terminal.line(`  ${formatRecoveryKey(account)}`)
  terminal.line('')
  terminal.line(`It brings back the account ${accountName(account)}.`)
  terminal.line(ADVICE)
}

/** The recovery key as programs want it. */
export function describeRecoveryKey(account: AccountSecret): object {
  return { recoveryKey: formatRecoveryKey(account), words: recoveryWords(account) }
}

/** What people compare accounts by: the beginning of its public key. */
export function accountName(account: AccountSecret): string {
  return toHex(accountKeyOf(account)).slice(0, ACCOUNT_NAME_DIGITS)
}

const ACCOUNT_NAME_DIGITS = 16

const ADVICE = `
Write the words on paper, with their numbers, and keep it where you keep what you
cannot replace. If this computer is lost, they bring back every folder you have; if
they are lost too, nobody can. Whoever finds them has all that you have: keep them
out of mail, photos and notes that other computers see.`

const COLUMNS = 4
/** Of the longest word there is, with its number. */
const COLUMN_WIDTH = 14

function rowsOf(words: readonly string[]): string[] {
  const numbered = words.map((word, at) => `${String(at + 1).padStart(2)}. ${word}`)
  return Array.from({ length: words.length / COLUMNS }, (_, row) =>
    numbered
      .slice(row * COLUMNS, (row + 1) * COLUMNS)
      .map((cell) => cell.padEnd(COLUMN_WIDTH))
      .join('')
      .trimEnd(),
  )
}
