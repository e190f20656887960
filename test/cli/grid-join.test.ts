import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { newAccountSecret } from '../../src/capabilities/account.ts'
import { gridIdOf, signingAsGrid } from '../../src/capabilities/grid-keys.ts'
import {
  formatDeviceWord,
  formatInvite,
  inviteKeyOf,
  newInviteSecret,
} from '../../src/capabilities/join-words.ts'
import { slotWriteKey } from '../../src/capabilities/slot-keys.ts'
import { toHex } from '../../src/foundation/bytes.ts'
import { systemRandomness } from '../../src/foundation/system.ts'
import { writeGridFile } from '../../src/home/grid-file.ts'
import { peerIdText } from '../../src/network/identity.ts'
import { signGrant } from '../../src/protocol/membership/grant.ts'
import { keyOf } from '../network/test-grid.ts'
import { hayloft } from '../support/hayloft.ts'
import { temporaryFolder } from '../support/temporary.ts'

const gridKey = slotWriteKey(systemRandomness.bytes(32))
const gridId = gridIdOf(gridKey)
const DAY_S = 24 * 3600
const NOW_S = Math.floor(Date.now() / 1000)

/** Nobody listens at this port: it was free a moment ago. */
async function deadAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `/ip4/127.0.0.1/tcp/${port}/p2p/${peerIdText(keyOf('nobody'))}`
}

async function invite({ expiresS = 0 } = {}): Promise<string> {
  const secret = newInviteSecret(systemRandomness)
  const grant = signGrant(
    {
      inviteKey: inviteKeyOf(secret),
      name: 'carol',
      role: 'member',
      quotaBytes: undefined,
      expiresS,
      uses: 1,
    },
    signingAsGrid(gridKey),
  )
  const door = { gridId, gridName: 'friends', addresses: [await deadAddress()] }
  return formatInvite({ secret, grant, gridKey: undefined, ...door })
}

interface Refusal {
  readonly status: number | null
  readonly code: string
  readonly message: string
}

/** Joins with what stands on standard input, and checks that nothing secret is repeated. */
async function refused(home: string, word: string, args: readonly string[] = []): Promise<Refusal> {
  const run = await hayloft(['grid', 'join', '-', '--json', ...args], { home, stdin: word })
  const { error } = JSON.parse(run.stderr) as { error: { code: string; message: string } }
  expect(run.stdout).toBe('')
  if (word.length > 40) expect(run.stderr).not.toContain(word.slice(20, 40))
  return { status: run.status, ...error }
}

describe('hayloft grid join', () => {
  it('refuses what is no invite, or not a whole one, before it makes anything', async () => {
    const dir = await temporaryFolder()
    const home = join(dir, 'home')
    const good = await invite()
    for (const word of [
      good.slice(0, -20),
      good.slice(0, 40) + (good[40] === 'q' ? 'p' : 'q') + good.slice(41),
    ]) {
      expect(await refused(home, word)).toMatchObject({ status: 64, code: 'capability-malformed' })
    }
    expect(existsSync(home)).toBe(false)
  })

  it('knows offline that an invite has expired, but allows for clocks that are a day apart', async () => {
    const dir = await temporaryFolder()
    const home = join(dir, 'home')
    const old = await invite({ expiresS: NOW_S - 2 * DAY_S })
    expect(await refused(home, old)).toMatchObject({ status: 77, code: 'invite-expired' })
    expect(existsSync(home)).toBe(false)
    const fresh = await invite({ expiresS: NOW_S - DAY_S / 2 })
    expect(await refused(home, fresh)).toMatchObject({ status: 2, code: 'grid-unreachable' })
  })

  it('says where it looked when nobody answers, and keeps the account that it made', async () => {
    const dir = await temporaryFolder()
    const home = join(dir, 'home')
    const word = await invite()
    const first = await refused(home, word)
    expect(first).toMatchObject({ status: 2, code: 'grid-unreachable' })
    expect(first.message).toContain('/ip4/127.0.0.1/tcp/')
    const secrets = await readFile(join(home, 'secrets.json'), 'utf8')
    expect(existsSync(join(home, 'grid.json'))).toBe(false)
    await refused(home, word, ['--at', await deadAddress()])
    expect(await readFile(join(home, 'secrets.json'), 'utf8')).toBe(secrets)
  })

  it('takes the invite of one grid only, and no word of another account', async () => {
    const dir = await temporaryFolder()
    const home = join(dir, 'home')
    const account = newAccountSecret(systemRandomness)
    const door = { gridId, gridName: 'friends', addresses: [await deadAddress()] }
    expect(await refused(home, formatDeviceWord({ account, ...door }))).toMatchObject({
      code: 'grid-unreachable',
    })
    const other = newAccountSecret(systemRandomness)
    expect(await refused(home, formatDeviceWord({ account: other, ...door }))).toMatchObject({
      status: 73,
      code: 'account-exists',
    })
    await writeGridFile(join(home, 'grid.json'), {
      gridId: toHex(systemRandomness.bytes(32)),
      name: 'neighbours',
      bootstrap: [],
    })
    const foreign = await refused(home, await invite())
    expect(foreign).toMatchObject({ status: 73, code: 'grid-exists' })
    expect(foreign.message).toContain('neighbours')
  })

  it('refuses names, zones and addresses that are none', async () => {
    const dir = await temporaryFolder()
    const home = join(dir, 'home')
    const word = await invite()
    for (const args of [
      ['--as', 'a\u0007b'],
      ['--offer', '1GB', '--zone', 'a\nb'],
      ['--zone', 'attic'],
      ['--at', 'example.org:4001'],
    ]) {
      expect(await refused(home, word, args)).toMatchObject({ status: 64 })
    }
    expect(existsSync(home)).toBe(false)
  })

  it('warns of an invite on the command line, and takes no device word there', async () => {
    const dir = await temporaryFolder()
    const home = join(dir, 'home')
    const word = await invite({ expiresS: 1 })
    const run = await hayloft(['grid', 'join', word], { home })
    expect(run.stderr).toContain('@FILE')
    expect(run.stderr).not.toContain(word.slice(20, 40))
    const account = newAccountSecret(systemRandomness)
    const device = formatDeviceWord({ account, gridId, gridName: 'friends', addresses: [] })
    const exposed = await hayloft(['grid', 'join', device, '--json'], { home })
    expect(exposed.status).toBe(64)
    expect(exposed.stderr).toContain('device-word-exposed')
    const file = join(dir, 'word')
    await writeFile(file, `${device.slice(0, 60)}\n${device.slice(60)}\n`)
    const taken = await hayloft(['grid', 'join', `@${file}`, '--json'], { home })
    expect(taken.stderr).toContain('grid-unreachable')
  })
})
