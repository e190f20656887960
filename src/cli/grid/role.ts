import type { Role } from '../../protocol/membership/statements.ts'
import { usageError } from '../failures.ts'

/** @throws CliError */
export function roleArgument(text: string): Role {
  if (text === 'member' || text === 'admin') return text
  throw usageError('The option --role takes member or admin.')
}
