import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { accountSecret } from '../../src/capabilities/account.ts'
import { SeenVersions } from '../../src/home/seen-versions.ts'
import { temporaryFolder } from '../support/temporary.ts'

const account = accountSecret(new Uint8Array(32).fill(1))
const PLACE = { slot: new Uint8Array(32).fill(2), path: ['a', 'b'] }

function isSeen(seen: SeenVersions, version: string | undefined, place = PLACE): boolean | 'never' {
  const look = seen.look(place)
  return look === 'never' ? 'never' : look.is(version)
}

describe('versions that were seen', () => {
  it('are the last ones, absence among them, and outlive the command', async () => {
    const path = join(await temporaryFolder(), 'seen-versions')
    using seen = SeenVersions.open(path, account)
    expect(isSeen(seen, 'x')).toBe('never')
    seen.remember(PLACE, undefined)
    expect(isSeen(seen, undefined)).toBe(true)
    expect(isSeen(seen, 'x')).toBe(false)
    seen.remember(PLACE, 'x')
    using again = SeenVersions.open(path, account)
    expect(isSeen(again, 'x')).toBe(true)
    expect(isSeen(again, undefined)).toBe(false)
    expect(isSeen(again, 'x', { ...PLACE, path: ['a'] })).toBe('never')
    expect(isSeen(again, 'x', { ...PLACE, slot: new Uint8Array(32) })).toBe('never')
  })

  it('are unknown where the file is damaged or cannot be', async () => {
    const path = join(await temporaryFolder(), 'seen-versions')
    {
      using seen = SeenVersions.open(path, account)
      seen.remember(PLACE, 'x')
    }
    await writeFile(path, Buffer.alloc(2 ** 22, 7))
    using damaged = SeenVersions.open(path, account)
    expect(isSeen(damaged, 'x')).toBe('never')
    using none = SeenVersions.open(join(path, 'not', 'there'), account)
    none.remember(PLACE, 'x')
    expect(isSeen(none, 'x')).toBe('never')
  })
})
