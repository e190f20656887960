import { expect, it } from 'vitest'
import { toRead, toVerify } from '../../src/capabilities/capability.ts'
import type { Capability } from '../../src/capabilities/capability.ts'
import {
  slotReadKeys,
  slotVerifyKeys,
  slotWriteKey,
  slotWriteKeys,
} from '../../src/capabilities/slot-keys.ts'

// The compiler is the test: a line that may not compile and does is an error of its own.

const folder = { kind: 'folder-write', writeKey: slotWriteKey(new Uint8Array(32)) } as const
const mutable = { kind: 'mutable-write', writeKey: folder.writeKey } as const

it('no key of a slot passes for one of another power', () => {
  const { readKey, verifyKey } = slotWriteKeys(folder.writeKey)
  // @ts-expect-error: a reader cannot write
  const asWriter = (): unknown => slotWriteKeys(readKey)
  // @ts-expect-error: a writer reads only by deriving the key of a reader
  const asReader = (): unknown => slotReadKeys(folder.writeKey)
  // @ts-expect-error: a reader verifies only by deriving the key of a verifier
  const asVerifier = (): unknown => slotVerifyKeys(readKey)
  // @ts-expect-error: bytes are no key until something says so
  const asBytes = (): unknown => slotReadKeys(new Uint8Array(32))
  expect([asWriter, asReader, asVerifier, asBytes]).toHaveLength(4)
  expect(slotVerifyKeys(verifyKey)).toEqual({ linksBoxKey: expect.any(Uint8Array) as Uint8Array })
})

it('no capability passes for one of another power or kind', () => {
  const takesFolderRead = ({ kind }: Capability & { kind: 'folder-read' }): string => kind
  const takesFolderWrite = ({ kind }: Capability & { kind: 'folder-write' }): string => kind
  expect(takesFolderRead(toRead(folder))).toBe('folder-read')
  // @ts-expect-error: who may write says so where they only mean to read
  expect(takesFolderRead(folder)).toBe('folder-write')
  // @ts-expect-error: a verifier cannot read
  expect(takesFolderRead(toVerify(folder))).toBe('folder-verify')
  // @ts-expect-error: a reader cannot write
  expect(takesFolderWrite(toRead(folder))).toBe('folder-read')
  // @ts-expect-error: a file is no folder
  expect(takesFolderWrite(mutable)).toBe('mutable-write')
})

it('nothing strengthens', () => {
  const read = toRead(folder)
  const verify = toVerify(folder)
  // @ts-expect-error: a reader has nothing to give up but reading
  expect(() => toRead(read)).toThrow()
  // @ts-expect-error: a verifier cannot become a reader
  expect(() => toRead(verify)).toThrow()
})
