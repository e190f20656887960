import * as fc from 'fast-check'
import { describe as suite, expect, it } from 'vitest'
import { fromHex, toHex } from '../../src/foundation/bytes.ts'
import { open, seal } from '../../src/crypto/aead.ts'
import { readKeyOf, verifyKeyOf } from '../../src/crypto/block-keys.ts'
import { toRead, toVerify } from '../../src/capabilities/capability.ts'
import { describe } from '../../src/capabilities/describe.ts'
import { formatCapability, parseCapability } from '../../src/capabilities/text.ts'
import { blockId } from '../../src/protocol/block-id.ts'
import { slotReadKeys, slotVerifyKeys, slotWriteKeys } from '../../src/capabilities/slot-keys.ts'
import frozen from '../vectors/capabilities.json' with { type: 'json' }
import frozenSlots from '../vectors/capabilities-slots.json' with { type: 'json' }
import { bytes32, capabilities, folderWrites, mutableWrites, snapshotReads } from './support.ts'

suite('weakening a file to verify', () => {
  it('opens the links of its block and not the content', () => {
    fc.assert(
      fc.property(bytes32, bytes32, fc.uint8Array({ maxLength: 99 }), (key, id, secret) => {
        const links = new Uint8Array(secret.length + 16)
        const content = new Uint8Array(secret.length + 16)
        seal(verifyKeyOf(key), 1, secret, links)
        seal(readKeyOf(key), 0, secret, content)

        const weaker = toVerify({ kind: 'file-read', key, id: blockId(id) })
        expect(weaker.id).toEqual(id)
        expect(open(weaker.verifyKey, 1, links)).toEqual(secret)
        for (const counter of [0, 1, 2]) {
          expect(open(weaker.verifyKey, counter, content)).toBeUndefined()
          expect(open(readKeyOf(weaker.verifyKey), counter, content)).toBeUndefined()
        }
      }),
    )
  })

  it('leaves nothing of the key in the text', () => {
    fc.assert(
      fc.property(bytes32, bytes32, (key, id) => {
        const weaker = toVerify({ kind: 'file-read', key, id: blockId(id) })
        expect(Object.keys(weaker).sort()).toEqual(['id', 'kind', 'verifyKey'])
        expect(toHex(weaker.verifyKey)).not.toBe(toHex(key))
        expect(parseCapability(formatCapability(weaker))).toEqual(weaker)
      }),
    )
  })

  it.each(frozen.files)('is frozen for the seed $seed', ({ read, verify, verifyKey }) => {
    const capability = parseCapability(read)
    if (capability.kind !== 'file-read') throw new Error('the vector is a file to read')
    const weaker = toVerify(capability)
    expect(weaker.verifyKey).toEqual(fromHex(verifyKey))
    expect(formatCapability(weaker)).toBe(verify)
  })
})

suite.each([
  { family: 'folder', writes: folderWrites },
  { family: 'mutable', writes: mutableWrites },
])('weakening a $family', ({ family, writes }) => {
  it('takes one power at a time, or two at once', () => {
    fc.assert(
      fc.property(writes, (write) => {
        const read = toRead(write)
        const verify = toVerify(read)
        expect(read.kind).toBe(`${family}-read`)
        expect(verify.kind).toBe(`${family}-verify`)
        expect(toVerify(write)).toEqual(verify)
      }),
      { numRuns: 50 },
    )
  })

  it('opens what the new power is for, and nothing of the old one', () => {
    fc.assert(
      fc.property(writes, (write) => {
        const writer = slotWriteKeys(write.writeKey)
        const reader = slotReadKeys(writer.readKey)
        const read = toRead(write)
        expect(read.slot).toEqual(writer.slot)
        expect(slotReadKeys(read.readKey)).toEqual(reader)
        const verify = toVerify(read)
        expect(verify.slot).toEqual(writer.slot)
        expect(slotVerifyKeys(verify.verifyKey)).toEqual({ linksBoxKey: reader.linksBoxKey })
        expectNothingOf([write.writeKey], read)
        expectNothingOf([write.writeKey, writer.readKey, reader.payloadBoxKey], verify)
      }),
      { numRuns: 50 },
    )
  })
})

suite('weakening a snapshot', () => {
  it('opens the links of its topmost block alone', () => {
    fc.assert(
      fc.property(snapshotReads, (read) => {
        const verify = toVerify(read)
        expect(verify).toEqual({
          kind: 'snapshot-verify',
          verifyKey: verifyKeyOf(read.key),
          id: read.id,
        })
        expectNothingOf([read.key, readKeyOf(read.key)], verify)
      }),
    )
  })

  it.each(frozenSlots.snapshots)('is frozen for the seed $seed', ({ read, verify }) => {
    const capability = parseCapability(read)
    if (capability.kind !== 'snapshot-read') throw new Error('the vector is a snapshot to read')
    expect(formatCapability(toVerify(capability))).toBe(verify)
  })
})

it.each(frozenSlots.slots)('weakening is frozen for the seed $seed', ({ folder, mutable }) => {
  const ofFolder = parseCapability(folder.write)
  const ofMutable = parseCapability(mutable.write)
  if (ofFolder.kind !== 'folder-write') throw new Error('the vector is a folder to write')
  if (ofMutable.kind !== 'mutable-write') throw new Error('the vector is a file to write')
  expect(formatCapability(toRead(ofFolder))).toBe(folder.read)
  expect(formatCapability(toVerify(ofFolder))).toBe(folder.verify)
  expect(formatCapability(toRead(ofMutable))).toBe(mutable.read)
  expect(formatCapability(toVerify(ofMutable))).toBe(mutable.verify)
})

/** None of the secrets stands in any field of what is left. */
function expectNothingOf(secrets: readonly Uint8Array[], weaker: object): void {
  const fields = Object.values(weaker).flatMap((value) =>
    value instanceof Uint8Array ? [toHex(value)] : [],
  )
  for (const secret of secrets) expect(fields).not.toContain(toHex(secret))
}

suite('the description', () => {
  it('says something of every kind and holds none of its secrets', () => {
    fc.assert(
      fc.property(capabilities, (capability) => {
        const description = describe(capability)
        const words = JSON.stringify(description)
        expect(description.kind).toBe(capability.kind)
        expect(description.grants.length).toBeGreaterThan(0)
        expect(description.withholds.length).toBeGreaterThan(0)
        const [, data = ''] = formatCapability(capability).split('1', 2)
        expect(words).not.toContain(data)
      }),
    )
  })

  it('counts the bytes of a literal', () => {
    expect(describe({ kind: 'literal', bytes: new Uint8Array(1) }).title).toContain('1 byte ')
    expect(describe({ kind: 'literal', bytes: new Uint8Array(9) }).title).toContain('9 bytes')
  })
})
