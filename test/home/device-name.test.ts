import { hostname } from 'node:os'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkDevice } from '../../src/folders/devices.ts'
import { deviceName } from '../../src/home/device-name.ts'

describe('the name of a device', () => {
  it('is one that folders take, whatever is given', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (given) => {
        expect(checkDevice(deviceName({ HAYLOFT_DEVICE: given }))).toBeTypeOf('string')
      }),
    )
  })

  it('is what is given, cut where it is too long, or else that of the system', () => {
    expect(deviceName({ HAYLOFT_DEVICE: 'Ada’s laptop' })).toBe('Ada’s laptop')
    expect(deviceName({ HAYLOFT_DEVICE: 'é'.repeat(40) })).toBe('é'.repeat(16))
    expect(deviceName({ HAYLOFT_DEVICE: ' a/b\n ' })).toBe('ab')
    expect(deviceName({ HAYLOFT_DEVICE: '..' })).toBe('')
    expect(deviceName({})).toBe(deviceName({ HAYLOFT_DEVICE: hostname().split('.')[0] ?? '' }))
  })
})
