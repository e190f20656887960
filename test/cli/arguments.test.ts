import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatCapability } from '../../src/capabilities/text.ts'
import { capabilityArgument, rangeArgument, sharesArgument } from '../../src/cli/arguments.ts'
import { temporaryFolder } from '../support/temporary.ts'

describe('--shares', () => {
  it('takes every code there is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 24 }), fc.nat({ max: 200 }), (required, more) => {
        const total = required + more
        expect(sharesArgument(`${required}/${total}`)).toEqual({ required, total })
      }),
    )
  })

  it.each(['3', '3/', '/10', '3of10', '3/10/2', '-3/10', '3.5/10', ' 3/10', '3/1000'])(
    'refuses %j',
    (text) => {
      expect(() => sharesArgument(text)).toThrow(expect.objectContaining({ code: 'usage' }))
    },
  )

  it.each(['0/10', '4/3', '25/30', '3/256'])('refuses the impossible code %s', (text) => {
    expect(() => sharesArgument(text)).toThrow(
      expect.objectContaining({ code: 'erasure-code-invalid' }),
    )
  })
})

describe('--range', () => {
  it('takes an offset and a length', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (offset, length) => {
        expect(rangeArgument(`${offset}:${length}`)).toEqual({ offset, length })
      }),
    )
  })

  it.each(['', ':', '5', '5:', ':5', '-1:5', '1-5', '0x1:2', '1:2:3', '99999999999999999:1'])(
    'refuses %j',
    (text) => {
      expect(() => rangeArgument(text)).toThrow(expect.objectContaining({ code: 'usage' }))
    },
  )
})

describe('a capability', () => {
  const capability = { kind: 'literal', bytes: Uint8Array.of(1, 2, 3) } as const
  const text = formatCapability(capability)

  it('may stand in the argument or, with white space around it, in a file', async () => {
    const file = join(await temporaryFolder(), 'cap')
    await writeFile(file, `\n ${text} \n`)
    expect(await capabilityArgument(text)).toEqual(capability)
    expect(await capabilityArgument(`@${file}`)).toEqual(capability)
  })

  it('is told to be missing where its file is', async () => {
    const missing = join(await temporaryFolder(), 'cap')
    await expect(capabilityArgument(`@${missing}`)).rejects.toMatchObject({ code: 'not-found' })
  })

  it('is refused, not read, in a file far too long to be one', async () => {
    const file = join(await temporaryFolder(), 'film')
    await writeFile(file, Buffer.alloc(10_000_000, 'q'))
    await expect(capabilityArgument(`@${file}`)).rejects.toMatchObject({
      code: 'capability-malformed',
    })
  })
})
