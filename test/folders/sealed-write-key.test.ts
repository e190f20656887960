import { describe, expect, it } from 'vitest'
import { slotKeyOf, slotWriteKey, slotWriteKeys } from '../../src/capabilities/slot-keys.ts'
import { openWriteKey, sealWriteKey } from '../../src/folders/sealed-write-key.ts'

const parent = slotWriteKeys(slotWriteKey(new Uint8Array(32).fill(1)))
const child = slotWriteKey(new Uint8Array(32).fill(2))
const slot = slotKeyOf(child)

describe('a sealed write key', () => {
  const sealed = sealWriteKey(parent.childrenKey, child)

  it('opens for who may write the parent, and is the same each time', () => {
    expect(sealed).toHaveLength(72)
    expect(sealWriteKey(parent.childrenKey, child)).toEqual(sealed)
    expect(openWriteKey(parent.childrenKey, slot, sealed)).toEqual(child)
  })

  it('opens for nobody else, for no other slot, and not if anything was changed', () => {
    const broken = expect.objectContaining({ code: 'folder-broken' })
    const other = slotWriteKeys(slotWriteKey(new Uint8Array(32).fill(3)))
    expect(() => openWriteKey(other.childrenKey, slot, sealed)).toThrow(broken)
    expect(() => openWriteKey(parent.readKey, slot, sealed)).toThrow(broken)
    expect(() => openWriteKey(parent.childrenKey, parent.slot, sealed)).toThrow(broken)
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.slice()
      changed[at]! ^= 1
      expect(() => openWriteKey(parent.childrenKey, slot, changed)).toThrow(broken)
    }
    expect(() => openWriteKey(parent.childrenKey, slot, sealed.subarray(1))).toThrow(broken)
  })
})
