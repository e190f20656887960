import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toRead, toVerify } from '../../../src/capabilities/capability.ts'
import type { Capability } from '../../../src/capabilities/capability.ts'
import { slotWriteKey } from '../../../src/capabilities/slot-keys.ts'
import { formatCapability } from '../../../src/capabilities/text.ts'
import { checkAliasName } from '../../../src/cli/paths/alias-name.ts'
import { meansPlace, placeArgument, type Place } from '../../../src/cli/paths/place.ts'
import { blockId } from '../../../src/protocol/block-id.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const WRITE = { kind: 'folder-write', writeKey: slotWriteKey(new Uint8Array(32).fill(7)) } as const
const READ = toRead(WRITE)
const CAP = formatCapability(READ)
const FILE: Capability = {
  kind: 'file-read',
  key: new Uint8Array(32),
  id: blockId(new Uint8Array(32)),
}

const ALIASES = new Map<string, Capability>([
  ['home', WRITE],
  ['photos', READ],
  ['blind', toVerify(READ)],
  ['letter.txt', FILE],
])

async function placeOf(argument: string): Promise<Place> {
  return await placeArgument(argument, async (name) => await Promise.resolve(ALIASES.get(name)))
}

/** Names that entries can have. */
const names = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .map((name) => name.normalize('NFC').replaceAll(/[/\0]/g, '_'))
  .filter((name) => name !== '.' && name !== '..' && Buffer.byteLength(name) <= 255)

describe('a place', () => {
  it('is a capability or an alias, and names from there down', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(names, { maxLength: 5 }), fc.boolean(), async (path, slash) => {
        const text = path.join('/') + (slash && path.length > 0 ? '/' : '')
        const expected = { path, isDirectory: text.endsWith('/') }
        expect(await placeOf(`home:${text}`)).toMatchObject({ capability: WRITE, ...expected })
        expect(await placeOf(`home:/${text}`)).toMatchObject({ capability: WRITE, path })
        const below = text === '' ? '' : `/${text}`
        expect(await placeOf(`${CAP}${below}`)).toMatchObject({ capability: READ, ...expected })
      }),
    )
  })

  it.each([
    ['home:', []],
    ['home:/', []],
    ['home:a', ['a']],
    ['home:a/', ['a']],
    ['home:a:b/c', ['a:b', 'c']],
    ['photos:2026/Cafe\u0301', ['2026', 'Caf\u00e9']],
    [CAP, []],
    [`${CAP}/`, []],
    [`${CAP}/a b/c`, ['a b', 'c']],
    [`${CAP.toUpperCase()}/A`, ['A']],
    ['letter.txt:', []],
  ])('%s', async (argument, path) => {
    expect((await placeOf(argument)).path).toEqual(path)
  })

  it('may stand in a file', async () => {
    const file = join(await temporaryFolder(), 'place')
    await writeFile(file, ` ${CAP}/photos/2026\n`)
    expect(await placeOf(`@${file}`)).toMatchObject({ capability: READ, path: ['photos', '2026'] })
  })

  it('has a label that gives nothing away', async () => {
    expect((await placeOf('home:a/b/')).label).toBe('home:a/b')
    expect((await placeOf(`${CAP}/a`)).label).toBe('hayfolderread1…/a')
    expect((await placeOf(CAP)).label).toBe('hayfolderread1…')
  })

  it.each([
    ['home:a//b', 'usage', 'two slashes'],
    ['home://a', 'capability-malformed', 'web address'],
    [`${CAP}//a`, 'usage', 'two slashes'],
    ['home:..', 'name-invalid', '..'],
    ['home:a/./b', 'name-invalid', '.'],
    ['home:a\0b', 'name-invalid', 'zero'],
    [`home:${'x'.repeat(256)}`, 'name-invalid', '255'],
    [`home:${'é'.repeat(128)}`, 'name-invalid', '255'],
    [`home:${'a/'.repeat(256)}`, 'path-too-deep', '255'],
    ['C:\\photos', 'usage', 'drive'],
    ['c:/photos', 'usage', 'drive'],
    ['Photos:a', 'usage', 'lower-case'],
    [':a', 'usage', 'names no place'],
    ['nobody:a', 'alias-unknown', 'alias nobody'],
    ['photos/2026', 'usage', 'names no place'],
    ['', 'capability-malformed', 'empty'],
    ['URI:DIR2:aaaa:bbbb/photos', 'capability-malformed', 'Tahoe-LAFS'],
    [`https://example.org/#${CAP}`, 'capability-malformed', 'web address'],
    [`${formatCapability(FILE)}/a`, 'usage', 'only follow that of a folder'],
    ['letter.txt:a', 'usage', 'only follow that of a folder'],
    ['blind:a', 'usage', 'tells no names'],
    [`${CAP.slice(0, -1)}b/a`, 'capability-malformed', 'Character'],
  ])('is not %j', async (argument, code, words) => {
    const refusal = await placeOf(argument).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(refusal).toMatchObject({ code })
    const { message } = refusal as Error
    expect(message).toContain(words)
    expect(message).not.toContain(CAP.slice(20, 40))
  })

  it('is refused, not cut, in a file too long to hold one', async () => {
    const file = join(await temporaryFolder(), 'place')
    await writeFile(file, `${CAP}/${'a/'.repeat(40_000)}`)
    await expect(placeOf(`@${file}`)).rejects.toMatchObject({ code: 'capability-malformed' })
  })

  it('is told from a local file', () => {
    for (const place of ['home:', 'home:a', 'nobody:b', CAP, `${CAP}/a`, CAP.toUpperCase()]) {
      expect(meansPlace(place)).toBe(true)
    }
    for (const local of ['a', './home:a', '/a:b', 'dir/a:b', 'C:\\a', 'c:/a', '-', 'hay.txt', '']) {
      expect(meansPlace(local)).toBe(false)
    }
  })
})

describe('the name of an alias', () => {
  it.each(['ab', 'photos', '2026', 'a-b_c.d', 'x'.repeat(64)])('can be %s', (name) => {
    expect(checkAliasName(name)).toBe(name)
  })

  it.each(['', 'a', 'Z', '-ab', '.ab', 'Photos', 'a b', 'a/b', 'é2', 'x'.repeat(65)])(
    'cannot be %j',
    (name) => {
      expect(() => checkAliasName(name)).toThrow(expect.objectContaining({ code: 'usage' }))
    },
  )
})
