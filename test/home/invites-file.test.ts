import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keepInvite, readOpenInvites } from '../../src/home/invites-file.ts'
import { homeFiles } from '../../src/home/layout.ts'
import { Membership } from '../../src/protocol/membership/membership.ts'
import { GRID_ID, invite, revoked, START_S } from '../support/test-members.ts'

let dir: string
let nowS: number
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hayloft-invites-'))
  nowS = START_S
})
afterEach(async () => {
  await rm(dir, { recursive: true, force: true })
})

const membershipNow = (): Membership =>
  new Membership({ gridId: GRID_ID, clock: { nowMs: () => 1000 * nowS } })

describe('the invites that were made in a home', () => {
  it('are those that are open still, as they were made', async () => {
    const [files, membership] = [homeFiles(dir), membershipNow()]
    expect(await readOpenInvites(files, membership)).toEqual([])
    const ben = invite('for ben', { name: 'Ben', expiresS: 0 })
    const brief = invite('brief', { expiresS: START_S + 60 })
    const late = invite('late', { expiresS: 0, uses: 9 })
    for (const each of [ben, brief, late]) await keepInvite(files, each, membership)
    expect(await readOpenInvites(files, membership)).toEqual([ben, brief, late])
    // Clocks may differ by a day.
    nowS += 60 + 86_400
    expect(await readOpenInvites(files, membership)).toEqual([ben, late])
    membership.add([revoked('for ben')])
    expect(await readOpenInvites(files, membership)).toEqual([late])
  })

  it('are told as damaged where the file names what the grid has not signed', async () => {
    const files = homeFiles(dir)
    const flipped = Buffer.from(invite('x').bytes)
    flipped[flipped.length - 1]! ^= 1
    for (const grants of [['00'], ['xy'], ['f'.repeat(5000)], [flipped.toString('hex')]]) {
      const file = { format: 'hayloft-invites', version: 1, grants }
      await writeFile(files.invites, JSON.stringify(file), { mode: 0o600 })
      await expect(readOpenInvites(files, membershipNow())).rejects.toMatchObject({
        code: 'home-damaged',
      })
    }
  })
})
