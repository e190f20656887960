import type { Capability } from './capability.ts'

/** What a capability lets its holder do and what it does not, in words for people. Holds nothing secret. */
export interface Description {
  readonly kind: Capability['kind']
  /** What it is, as a noun phrase. */
  readonly title: string
  /** Each completes "whoever has it can …". */
  readonly grants: readonly string[]
  /** Each completes "it does not let them …". */
  readonly withholds: readonly string[]
}

export function describe(capability: Capability): Description {
  switch (capability.kind) {
    case 'file-read':
      return {
        kind: capability.kind,
        title: 'a file, to read',
        grants: [
          'read this file, all of it, from now on',
          'check that the grid still holds it, keep it there and repair it',
          'pass either power on to others',
        ],
        withholds: [
          'change the file: what this capability names never changes',
          'read, find or name any other file',
          'have it deleted while others keep it',
        ],
      }
    case 'file-verify':
      return {
        kind: capability.kind,
        title: 'a file, to verify',
        grants: [
          'check that the grid still holds this file, keep it there and repair it',
          'see about how large it is and how many blocks it has',
          'pass that power on to others',
        ],
        withholds: [
          'read any of the file, nor learn its name or kind',
          'change the file',
          'find or verify any other file',
        ],
      }
    case 'literal':
      return {
        kind: capability.kind,
        title: `a file of ${bytesInWords(capability.bytes.length)} that the capability itself holds`,
        grants: ['read this file, without the grid and for ever'],
        withholds: [
          'read, find or name any other file',
          'share it without its content: there is nothing to verify, for no node stores it',
        ],
      }
  }
}

function bytesInWords(count: number): string {
  return count === 1 ? '1 byte' : `${count} bytes`
}
