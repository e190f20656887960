import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { openOwnHome } from '../own-home.ts'
import { describeRecoveryKey, printRecoveryKey } from '../recovery-sheet.ts'
import type { Terminal } from '../terminal.ts'

/** Shows the recovery key of this home's account to who asks for it by name. */
export async function recoveryKey({
  files,
  terminal,
}: {
  readonly files: HomeFiles
  readonly terminal: Terminal
}): Promise<ExitCode> {
  const account = await openOwnHome(files).account()
  if (terminal.json) terminal.value(describeRecoveryKey(account))
  else printRecoveryKey(account, terminal)
  return EXIT.ok
}
