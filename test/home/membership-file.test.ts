import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/foundation/system.ts'
import { HomeError } from '../../src/home/errors.ts'
import { readMembership, writeMembership } from '../../src/home/membership-file.ts'
import { Membership } from '../../src/protocol/membership/membership.ts'
import { temporaryFolder } from '../support/temporary.ts'
import {
  admitted,
  announced,
  device,
  deviceNamed,
  GRID_ID,
  named,
} from '../support/test-members.ts'

const STATEMENTS = [
  named('ada', { role: 'admin' }),
  device('ada', 'ada-node'),
  admitted('ben', 'for ben', { by: 'ada-node' }),
  device('ben', 'ben-node'),
  announced('ben-node'),
]

const somewhere = async (): Promise<string> => join(await temporaryFolder(), 'membership')

function members(statements: readonly Uint8Array[]): Membership {
  const made = new Membership({ gridId: GRID_ID, clock: systemClock })
  made.add(statements)
  return made
}

async function read(path: string): Promise<Membership> {
  return await readMembership(path, { gridId: GRID_ID, clock: systemClock })
}

async function write(path: string, membership: Membership): Promise<void> {
  await writeMembership(path, membership, systemClock)
}

describe('the file of members', () => {
  it('is read as it was written', async () => {
    const path = await somewhere()
    expect((await read(path)).all()).toEqual([])
    const membership = members(STATEMENTS)
    await write(path, membership)
    expect((await read(path)).all()).toEqual(membership.all())
  })

  it('keeps what another process wrote meanwhile, and tells of it', async () => {
    const path = await somewhere()
    const [one, other] = [members(STATEMENTS.slice(0, 2)), members(STATEMENTS)]
    await Promise.all([write(path, one), write(path, other)])
    await write(path, one)
    expect(one.isMember(deviceNamed('ben-node'))).toBe(true)
    expect((await read(path)).digests()).toEqual(other.digests())
  })

  it('gives what is whole of it wherever it is damaged or cut, and never anything else', async () => {
    const path = await somewhere()
    const membership = members(STATEMENTS)
    await write(path, membership)
    const whole = new Uint8Array(await readFile(path))
    const known = new Set(membership.all().map(({ hash }) => hash))
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, change, isCut) => {
          const damaged = whole.with(at, (whole[at] as number) ^ change)
          await writeFile(path, isCut ? whole.subarray(0, at) : damaged)
          try {
            for (const { hash } of (await read(path)).all()) expect(known).toContain(hash)
          } catch (error) {
            expect(error).toBeInstanceOf(HomeError)
            expect(error).toMatchObject({ code: 'home-damaged' })
          }
        },
      ),
      { numRuns: 60 },
    )
    // Its last statement lost a byte: the others are there.
    await writeFile(path, whole.subarray(0, -33))
    const rest = await read(path)
    expect(rest.all().length).toBe(membership.all().length - 1)
    await write(path, membership)
    expect((await read(path)).digests()).toEqual(membership.digests())
  })

  it('is not taken for that of another grid', async () => {
    const path = await somewhere()
    await write(path, members(STATEMENTS))
    const gridId = new Uint8Array(32)
    const other = readMembership(path, { gridId, clock: systemClock })
    await expect(other).rejects.toMatchObject({ code: 'home-damaged' })
  })

  it('says what to do where it is something else', async () => {
    const path = await somewhere()
    await writeFile(path, 'something else')
    await expect(read(path)).rejects.toThrow('"hayloft recover" with the address of a friend')
  })
})
