import * as fc from 'fast-check'
import { describe as suite, expect, it } from 'vitest'
import { fromHex, toHex } from '../../src/foundation/bytes.ts'
import { open, seal } from '../../src/crypto/aead.ts'
import { readKeyOf, verifyKeyOf } from '../../src/crypto/block-keys.ts'
import { toVerify } from '../../src/capabilities/capability.ts'
import { describe } from '../../src/capabilities/describe.ts'
import { formatCapability, parseCapability } from '../../src/capabilities/text.ts'
import { blockId } from '../../src/protocol/block-id.ts'
import frozen from '../vectors/capabilities.json' with { type: 'json' }
import { capabilities } from './support.ts'

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })

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
