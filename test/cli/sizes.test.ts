import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rateArgument, sizeArgument } from '../../src/cli/sizes.ts'

const units = [
  ['B', 1],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['TB', 1e12],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
  ['TiB', 2 ** 40],
] as const

describe('a size', () => {
  it('is a whole number of its unit, however the unit is written', () => {
    const gap = fc.constantFrom('', ' ')
    const unit = fc.constantFrom(...units)
    const spelling = fc.constantFrom<(text: string) => string>(
      (text) => text,
      (text) => text.toLowerCase(),
      (text) => text.toUpperCase(),
    )
    fc.assert(
      fc.property(fc.nat(8000), unit, gap, spelling, (number, [name, bytes], space, spell) => {
        expect(sizeArgument(`${number}${space}${spell(name)}`, '--offer')).toBe(number * bytes)
      }),
    )
  })

  it('may have a fraction, and nothing needs no unit', () => {
    expect(sizeArgument('1.5TiB', '--offer')).toBe(1.5 * 2 ** 40)
    expect(sizeArgument('0', '--reserve')).toBe(0)
  })

  it.each(['500', '', 'GB', '-1GB', '1e3GB', '1.GB', '5 apples', '9999999PB', '1,5GB'])(
    'is not %j',
    (text) => {
      expect(() => sizeArgument(text, '--offer')).toThrow('The option --offer takes a size')
    },
  )
})

describe('a rate', () => {
  it('is bytes or bits a second, or none', () => {
    expect(rateArgument('2MB/s', '--upload-limit')).toBe(2e6)
    expect(rateArgument('2MB', '--upload-limit')).toBe(2e6)
    expect(rateArgument('20Mbit/s', '--upload-limit')).toBe(2.5e6)
    expect(rateArgument('800 kbit', '--upload-limit')).toBe(1e5)
    expect(rateArgument('none', '--upload-limit')).toBeUndefined()
  })

  it.each(['0', '1KB/s', '1kbit/s', 'fast', '2MB/h', 'bit/s'])('is not %j', (text) => {
    expect(() => rateArgument(text, '--upload-limit')).toThrow(
      'The option --upload-limit takes a rate',
    )
  })
})
