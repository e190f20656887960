import type { Capability, LiteralCapability } from './capability.ts'

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

/** Tells in words what a capability is good for, and what not. Repeats nothing secret of it. */
export function describe(capability: Capability): Description {
  const { kind } = capability
  return kind === 'literal' ? describeLiteral(capability) : { kind, ...WORDS[kind] }
}

const READ_FOLDER = 'read this folder, all folders and files in it, and what its history keeps'
const LEAVE_HISTORY = 'take back what others have already read'

const WORDS: Readonly<Record<Exclude<Capability['kind'], 'literal'>, Omit<Description, 'kind'>>> = {
  'file-read': {
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
  },
  'file-verify': {
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
  },
  'folder-write': {
    title: 'a folder, to read and to write',
    grants: [
      'add, change, rename and remove whatever is in this folder and in all folders below it',
      `${READ_FOLDER}, now and later`,
      'check that the grid still holds it, keep it there and repair it',
      'pass these powers on to others, all or only the weaker ones',
    ],
    withholds: [
      'get at anything outside of this folder',
      LEAVE_HISTORY,
      'take the powers away from others who have them: that takes a new folder',
    ],
  },
  'folder-read': {
    title: 'a folder, to read',
    grants: [
      `${READ_FOLDER}, now and later`,
      'check that the grid still holds it, keep it there and repair it',
      'pass either power on to others',
    ],
    withholds: [
      'change anything in it, nor in any folder below it',
      'get at anything outside of this folder',
    ],
  },
  'folder-verify': {
    title: 'a folder, to verify',
    grants: [
      'check that the grid still holds this folder and all that is in it, keep it there and repair it',
      'see when it changes, about how large it is and how its blocks hang together',
      'pass that power on to others',
    ],
    withholds: [
      'read any name or any file in it',
      'change anything in it',
      'get at anything outside of this folder',
    ],
  },
  'mutable-write': {
    title: 'a file that changes, to read and to write',
    grants: [
      'replace what this file holds',
      'read it and what its history keeps, now and later',
      'check that the grid still holds it, keep it there and repair it',
      'pass these powers on to others, all or only the weaker ones',
    ],
    withholds: [
      'get at any other file',
      LEAVE_HISTORY,
      'take the powers away from others who have them: that takes a new file',
    ],
  },
  'mutable-read': {
    title: 'a file that changes, to read',
    grants: [
      'read this file and what its history keeps, now and later',
      'check that the grid still holds it, keep it there and repair it',
      'pass either power on to others',
    ],
    withholds: ['change the file', 'get at any other file'],
  },
  'mutable-verify': {
    title: 'a file that changes, to verify',
    grants: [
      'check that the grid still holds this file, keep it there and repair it',
      'see when it changes, about how large it is and how many blocks it has',
      'pass that power on to others',
    ],
    withholds: ['read any of the file', 'change it', 'get at any other file'],
  },
  'snapshot-read': {
    title: 'a folder as it was at one moment, to read',
    grants: [
      'read the folder as it was then, with all folders and files that were in it, from now on',
      'check that the grid still holds it, keep it there and repair it',
      'pass either power on to others',
    ],
    withholds: [
      'change any of it: what this capability names never changes',
      'see what became of the folder later, nor what was outside of it',
      'have it deleted while others keep it',
    ],
  },
  'snapshot-verify': {
    title: 'a folder as it was at one moment, to verify',
    grants: [
      'check that the grid still holds all of it, keep it there and repair it',
      'see about how large it is and how its blocks hang together',
      'pass that power on to others',
    ],
    withholds: [
      'read any name or any file in it',
      'change any of it',
      'see what became of the folder later, nor what was outside of it',
    ],
  },
}

function describeLiteral({ kind, bytes }: LiteralCapability): Description {
  return {
    kind,
    title: `a file of ${bytesInWords(bytes.length)} that the capability itself holds`,
    grants: ['read this file, without the grid and for ever'],
    withholds: [
      'read, find or name any other file',
      'share it without its content: there is nothing to verify, for no node stores it',
    ],
  }
}

function bytesInWords(count: number): string {
  return count === 1 ? '1 byte' : `${count} bytes`
}
