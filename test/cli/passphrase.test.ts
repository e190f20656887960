import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { namePassphraseFile, PASSPHRASE_FILE_VARIABLE } from '../../src/cli/passphrase-file.ts'
import { askNewPassphrase, askPassphrase, hiddenLine } from '../../src/cli/passphrase.ts'
import { utf8 } from '../../src/foundation/bytes.ts'
import { temporaryFolder } from '../support/temporary.ts'

async function* typed(...parts: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield await Promise.resolve(Buffer.from(part))
}

describe('a line typed in the dark', () => {
  it('is what was typed, however it arrives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', maxLength: 30 }),
        fc.nat(),
        async (text, at) => {
          // Keys that edit the line are another test's.
          const line = text.replaceAll(/\p{Cc}/gu, '')
          const bytes = Buffer.from(`${line}\r`)
          const cut = at % bytes.length
          const keys = typed(bytes.subarray(0, cut), bytes.subarray(cut))
          expect(await hiddenLine(keys)).toBe(line)
        },
      ),
    )
  })

  it.each([
    [['horsx\u007Fe\r'], 'horse'],
    [['\u0008\u0008a\n'], 'a'],
    [['wrong\u0015right\r', 'ignored'], 'right'],
    [['e\u0301\u007F\r'], 'e'],
  ])('can be corrected: %j', async (keys, line) => {
    expect(await hiddenLine(typed(...keys))).toBe(line)
  })

  it.each(['abc\u0003', 'abc\u0004', 'abc'])('that never ends is no line: %j', async (keys) => {
    await expect(hiddenLine(typed(keys))).rejects.toMatchObject({ code: 'interrupted' })
  })
})

describe('a passphrase in a file', () => {
  const before = process.env[PASSPHRASE_FILE_VARIABLE]
  afterEach(() => {
    if (before === undefined) delete process.env[PASSPHRASE_FILE_VARIABLE]
    else process.env[PASSPHRASE_FILE_VARIABLE] = before
  })

  async function fileOf(contents: string): Promise<string> {
    const path = join(await temporaryFolder(), 'passphrase')
    await writeFile(path, contents)
    return path
  }

  it.each(['correct horse', 'correct horse\n', 'correct horse\r\n'])('is %j', async (contents) => {
    namePassphraseFile(await fileOf(contents))
    expect(await askPassphrase()).toEqual(utf8('correct horse'))
    expect(await askNewPassphrase()).toEqual(utf8('correct horse'))
  })

  it('is the same however its letters are composed', async () => {
    namePassphraseFile(await fileOf('cafe\u0301'))
    expect(await askPassphrase()).toEqual(utf8('caf\u00e9'))
    expect(await askNewPassphrase(await fileOf('other'))).toEqual(utf8('other'))
  })

  it.each([
    ['', 'empty'],
    ['\n', 'empty'],
    ['one\ntwo\n', 'several'],
    ['x'.repeat(1025), '1024'],
  ])('is refused when it is %j', async (contents, words) => {
    namePassphraseFile(await fileOf(contents))
    await expect(askPassphrase()).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(words) as string,
    })
  })

  it('is told to be missing where it is', async () => {
    namePassphraseFile(join(await temporaryFolder(), 'missing'))
    await expect(askPassphrase()).rejects.toMatchObject({ code: 'not-found' })
  })
})
