import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { homeFiles } from '../../src/home/layout.ts'
import { readRunning } from '../../src/home/running-file.ts'
import { GRIDS_VARIABLE } from '../support/global-setup.ts'
import { hayloft, startHayloft, type Run } from '../support/hayloft.ts'
import { until } from './grid.ts'

let dir: string
const children: ChildProcess[] = []

beforeAll(async () => {
  dir = await mkdtemp(join(process.env[GRIDS_VARIABLE] ?? tmpdir(), 'friends-'))
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
})

const homeOf = (name: string): string => join(dir, name)

async function run(name: string, args: readonly string[], stdin?: string): Promise<Run> {
  const given = stdin === undefined ? {} : { stdin }
  return await hayloft(args, { home: homeOf(name), ...given })
}

async function json<T>(name: string, args: readonly string[], stdin?: string): Promise<T> {
  const { status, stdout, stderr } = await run(name, [...args, '--json'], stdin)
  if (status !== 0) throw new Error(`hayloft ${args.join(' ')} ended with ${status}: ${stderr}`)
  return JSON.parse(stdout) as T
}

async function startNode(name: string): Promise<void> {
  children.push(startHayloft(['node', 'start'], { home: homeOf(name) }).child)
  const { running } = homeFiles(homeOf(name))
  await until(async () => (await readRunning(running)) !== undefined)
}

/** A busy member may take longer to answer than a list waits for. */
async function untilCutOff(name: string): Promise<void> {
  await until(async () => {
    const { status, stderr } = await run(name, ['device', 'list', '--json'])
    return status === 77 && stderr.includes('"not-a-member"')
  })
}

interface MembersJson {
  readonly members: readonly {
    readonly name: string
    readonly role: string
    readonly status: string
    readonly quotaBytes: number | null
    readonly devices: readonly { readonly name: string; readonly zone: string | null }[]
  }[]
  readonly refused: readonly { readonly name: string; readonly reason: string }[]
}

async function people(from: string): Promise<string[]> {
  const { members } = await json<MembersJson>(from, ['grid', 'members'])
  return members.map(({ name, role, status }) => `${name} ${role} ${status}`)
}

describe('a grid of friends', () => {
  let invite: string
  let recoveryKey: string

  it('is made by one person, who invites another, who keeps files for both', async () => {
    const create = [
      'grid',
      'create',
      'The barn',
      '--as',
      'Ada',
      '--offer',
      '1GB',
      '--zone',
      'Elm 1',
    ]
    const made = await json<{ recoveryKey: string; grid: string }>('ada', create)
    expect(made.grid).toBe('The barn')
    ;({ recoveryKey } = made)
    const early = await run('ada', ['grid', 'invite', '--json'])
    expect(early.stderr).toContain('"no-door"')
    await startNode('ada')
    const asked = ['grid', 'invite', '--name', 'Ben', '--quota', '500MB', '--expires', '2d']
    ;({ invite } = await json<{ invite: string }>('ada', asked))
    expect(invite).toMatch(/^hayinvite1q[a-z0-9]+$/)
    await json('ben', ['grid', 'join', '-', '--offer', '1GB'], invite)
    await startNode('ben')
    const { members, refused } = await json<MembersJson>('ada', ['grid', 'members'])
    expect(members).toMatchObject([
      { name: 'Ada', role: 'admin', status: 'in', devices: [{}, { zone: 'Elm 1' }] },
      { name: 'Ben', role: 'member', status: 'in', quotaBytes: 5e8 },
    ])
    expect(refused).toEqual([])
    await writeFile(join(dir, 'letter'), 'Dear Ben, '.repeat(100))
    const put = await json<{ capability: string; shares: object }[]>('ada', [
      'put',
      join(dir, 'letter'),
    ])
    expect(put[0]?.shares).toEqual({ required: 1, total: 2 })
    const got = await run('ben', ['cat', '-'], put[0]?.capability)
    expect(got.stdout).toContain('Dear Ben, Dear Ben')
    await json('ben', ['put', '-'], 'Dear Ada, '.repeat(100))
  })

  it('tells of an invite that is used again, and of words that are none', async () => {
    const again = await run('eve', ['grid', 'join', '-', '--as', 'Eve'], invite)
    expect(again).toMatchObject({ status: 77 })
    expect(again.stderr).toContain('The invite is for Ben, and that is what the others call you.')
    expect(again.stderr).toContain('was used already')
    const { refused } = await json<MembersJson>('ada', ['grid', 'members'])
    expect(refused).toMatchObject([{ name: 'Eve', reason: 'used-up' }])
    const told = await run('ada', ['grid', 'members'])
    expect(told.stdout).toContain('The invite that let in Ben was used again')
    expect(told.stdout).toContain('who calls themselves Eve')
    const file = await run('ada', ['check', '-', '--json'], invite)
    expect(file.stderr).toContain('capability-malformed')
    expect(file.stderr).not.toContain(invite.slice(20, 60))
  })

  it('takes an invite back, and keeps whom it has let in', async () => {
    const several = await run('ada', ['grid', 'invite', '--name', 'Gus', '--uses', '2'])
    expect([several.status, several.stderr]).toEqual([
      64,
      expect.stringContaining('for one person'),
    ])
    const more = await json<{ invite: string }>('ada', ['grid', 'invite', '--uses', '5'])
    const taken = await json('ada', ['grid', 'revoke', '-'], more.invite)
    expect(taken).toMatchObject({ stay: [] })
    const late = await run('fay', ['grid', 'join', '-', '--json'], more.invite)
    expect(late.stderr).toContain('"invite-revoked"')
    expect(await json('ada', ['grid', 'revoke', '-'], invite)).toMatchObject({ stay: ['Ben'] })
    const { inviteKey } = await json<{ inviteKey: string }>('ada', [
      'grid',
      'invite',
      '--name',
      'Gus',
    ])
    const listed = await json<{ invites: unknown[] }>('ada', ['grid', 'members'])
    expect(listed.invites).toMatchObject([{ inviteKey, name: 'Gus', usesLeft: 1 }])
    const told = await run('ada', ['grid', 'members'])
    expect(told.stdout).toMatch(/^ {4}Gus: lets in 1 person, until .*; [0-9a-f]{12}$/m)
    const nonsense = await run('ada', ['grid', 'revoke', 'gus'])
    expect([nonsense.status, nonsense.stderr]).toEqual([66, expect.stringContaining('mean Gus?')])
    expect(await json('ada', ['grid', 'revoke', 'Gus'])).toMatchObject({ inviteKey, stay: [] })
    expect(await json('ada', ['grid', 'members'])).toMatchObject({ invites: [] })
    expect(await people('ben')).toEqual(['Ada admin in', 'Ben member in'])
  })

  it('lets only admins say who belongs to it, and nobody remove themselves', async () => {
    for (const args of [
      ['grid', 'invite'],
      ['grid', 'remove', 'Ada'],
      ['grid', 'revoke', 'Gus'],
    ]) {
      const { status, stderr } = await run('ben', [...args, '--json'])
      expect([status, stderr]).toEqual([77, expect.stringContaining('Ask Ada.')])
    }
    const self = await run('ada', ['grid', 'remove', 'Ada', '--json'])
    expect(self.stderr).toContain('"cannot-remove-self"')
    const only = await run('ada', ['grid', 'leave', '--json'])
    expect(only.stderr).toContain('"last-admin"')
    const nobody = await run('ada', ['grid', 'remove', 'ben', '--json'])
    expect(nobody.stderr).toContain('Do you mean Ben?')
  })

  it('gives a person a second computer, and takes it away again', async () => {
    const { word } = await json<{ word: string }>('ben', ['device', 'add'])
    await json('ben-2', ['grid', 'join', '-'], word)
    interface Devices {
      readonly devices: readonly { key: string; here: boolean }[]
    }
    const { devices } = await json<Devices>('ben-2', ['device', 'list'])
    expect(devices).toHaveLength(3)
    const here = devices.filter((device) => device.here).map(({ key }) => key)
    expect(here).toHaveLength(1)
    const itself = await run('ben-2', ['device', 'remove', here[0] ?? '', '--json'])
    expect(itself.stderr).toContain('"cannot-remove-self"')
    await json('ben', ['device', 'remove', here[0]?.slice(0, 12) ?? ''])
    await untilCutOff('ben-2')
  })

  it('takes its founder back on an empty computer, as its admin, by a used invite', async () => {
    await writeFile(join(dir, 'invite'), invite)
    const alone = await json<{ needs: string[] }>('ada-2', ['recover', '-'], recoveryKey)
    expect(alone).toMatchObject({ needs: ['grid'] })
    // The account is there by now, so that the key need not be shown again.
    const args = ['recover', '--invite', `@${join(dir, 'invite')}`]
    const back = await json<{ admin: boolean; name: string }>('ada-2', args)
    expect(back).toMatchObject({ admin: true, name: 'Ada', grid: 'The barn' })
    await json('ada-2', ['grid', 'remove', 'Ben'])
    expect(await people('ada')).toEqual(['Ada admin in', 'Ben member removed'])
    await untilCutOff('ben')
  })

  it('lets a node go though it keeps what somebody stored who was removed', async () => {
    const { invite: word } = await json<{ invite: string }>('ada', ['grid', 'invite'])
    await json('cleo', ['grid', 'join', '-', '--offer', '1GB'], word)
    await startNode('cleo')
    const drained = await run('ada', ['node', 'drain'])
    expect(drained).toMatchObject({ status: 0 })
    expect(drained.stdout).toMatch(/ of former members stay behind/)
    expect(drained.stdout).toContain('the node may go')
  })

  it('is another one in another home of the same computer', async () => {
    await json('zoe', ['grid', 'create', 'Elsewhere', '--as', 'Zoe'])
    const twice = await run('zoe', ['grid', 'create', 'Again', '--json'])
    expect(twice.stderr).toContain('"grid-exists"')
    const other = await run('zoe', ['grid', 'join', '-', '--json'], invite)
    expect(other.stderr).toContain('"grid-exists"')
    expect(await people('zoe')).toEqual(['Zoe admin in'])
    expect(await json('zoe', ['grid', 'leave'])).toMatchObject({ left: true, drained: false })
    expect((await run('zoe', ['grid', 'show'])).status).toBe(78)
    const named = await run('new', ['grid', 'create', 'a\u001b[2J', '--json'])
    expect([named.status, named.stderr]).toEqual([64, expect.stringContaining('control char')])
  })
})
