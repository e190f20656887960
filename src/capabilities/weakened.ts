import { toRead, toVerify, type Capability } from './capability.ts'

/** The same capability where it has just that power. @returns why not, where there is no such one. Asks no node. */
export function weakenedTo(
  given: Capability,
  power: 'write' | 'read' | 'verify',
): Capability | 'too-weak' | 'nothing-to-verify' {
  switch (given.kind) {
    case 'folder-write':
    case 'mutable-write':
      if (power === 'write') return given
      return power === 'read' ? toRead(given) : toVerify(given)
    case 'file-read':
    case 'folder-read':
    case 'mutable-read':
    case 'snapshot-read':
      if (power === 'write') return 'too-weak'
      return power === 'read' ? given : toVerify(given)
    case 'file-verify':
    case 'folder-verify':
    case 'mutable-verify':
    case 'snapshot-verify':
      return power === 'verify' ? given : 'too-weak'
    case 'literal':
      return power === 'read' ? given : 'nothing-to-verify'
  }
}
