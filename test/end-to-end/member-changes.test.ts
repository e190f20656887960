import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { signingAsGrid } from '../../src/capabilities/grid-keys.ts'
import { systemClock } from '../../src/foundation/system.ts'
import { homeFiles } from '../../src/home/layout.ts'
import { writeMembership } from '../../src/home/membership-file.ts'
import { signMember } from '../../src/protocol/membership/sign.ts'
import { nextOf, type MemberChange } from '../../src/protocol/membership/succeed.ts'
import { hayloft, type Run } from '../support/hayloft.ts'
import { gridKeyOf, membershipOf } from './founder.ts'
import { TestGrid, until } from './grid.ts'

let grid: TestGrid
let file: string
const homeOf = (name: string): string => join(grid.dir, `home-of-${name}`)

interface MemberJson {
  readonly name: string
  readonly role: string
  readonly status: string
  readonly quotaBytes: number | null
  readonly overruled: { readonly status: string; readonly quotaBytes: number | null } | null
  readonly word?: string
}

beforeAll(async () => {
  grid = await TestGrid.start(3)
  file = join(grid.dir, 'file')
  await writeFile(file, 'Dear friends, '.repeat(1_000))
  await letIn('ben')
  await letIn('cleo')
})
afterAll(async () => {
  await grid.end()
})

async function letIn(name: string): Promise<void> {
  const { invite } = await grid.json<{ invite: string }>(['grid', 'invite', '--name', name])
  expect((await run(name, ['grid', 'join', '-'], invite)).status).toBe(0)
}

async function run(name: string, args: readonly string[], stdin?: string): Promise<Run> {
  return await hayloft(args, { home: homeOf(name), ...(stdin !== undefined && { stdin }) })
}

async function json<T>(name: string, args: readonly string[]): Promise<T> {
  const { status, stdout, stderr } = await run(name, [...args, '--json'])
  if (status !== 0) throw new Error(`hayloft ${args.join(' ')} ended with ${status}: ${stderr}`)
  return JSON.parse(stdout) as T
}

/** What a home is told of somebody once it has asked the others. */
async function seenBy(home: string, name: string): Promise<MemberJson | undefined> {
  const { stdout } = await hayloft(['grid', 'members', '--json'], { home })
  const { members } = JSON.parse(stdout) as { members: MemberJson[] }
  return members.find((member) => member.name === name)
}

function codeIn({ stderr }: Run): string {
  const line = stderr.split('\n').find((each) => each.includes('"error"')) ?? '{}'
  return (JSON.parse(line) as { error?: { code: string } }).error?.code ?? stderr
}

async function everybodySees(name: string, said: Partial<MemberJson>): Promise<void> {
  const homes = grid.nodes.map((node) => node.home)
  await until(async () => {
    const views = await Promise.all(
      homes.map(async (home) => {
        const { members } = await membershipOf(home)
        return members.find((member) => member.name === name)
      }),
    )
    return views.every((view) =>
      Object.entries(said).every(([key, value]) => view?.[key as keyof typeof view] === value),
    )
  })
}

it('an admin changes what someone may store, and nodes go by it at once', async () => {
  await grid.json(['grid', 'member', 'ben', '--quota', '1KB'])
  await everybodySees('ben', { quotaBytes: 1000 })
  const refused = await run('ben', ['put', file, '--json'])
  expect(refused.status).not.toBe(0)
  expect(refused.stderr).toContain('said that you store as much as you may')
  const changed = await grid.json<MemberJson>(['grid', 'member', 'ben', '--quota', 'none'])
  expect(changed).toMatchObject({ name: 'ben', quotaBytes: null, changed: true })
  await everybodySees('ben', { quotaBytes: undefined as never })
  expect((await run('ben', ['put', file])).status).toBe(0)
})

it('nobody else does, and what is no change is none', async () => {
  const refused = await run('ben', ['grid', 'member', 'cleo', '--name', 'x', '--json'])
  expect([refused.status, codeIn(refused)]).toEqual([77, 'no-admin'])
  expect((await run('ben', ['grid', 'member', 'cleo', '--role', 'king'])).status).toBe(64)
  expect((await run('ben', ['grid', 'member', 'nobody', '--json'])).status).toBe(66)
  const last = await grid.run(['grid', 'member', 'me', '--role', 'member', '--json'])
  expect([last.status, codeIn(last)]).toEqual([77, 'last-admin'])
  const same = await grid.json(['grid', 'member', 'cleo', '--role', 'member'])
  expect(same).toMatchObject({ changed: false })
})

it('who is removed is told so by their first command, stays out, and is taken back by an admin alone', async () => {
  expect((await grid.run(['grid', 'remove', 'cleo'])).status).toBe(0)
  // Her home has heard of nothing yet.
  const first = await run('cleo', ['put', file, '--json'])
  expect([first.status, codeIn(first)]).toEqual([77, 'not-a-member'])
  expect(first.stderr.trim().split('\n')).toHaveLength(1)
  const change = await grid.run(['grid', 'member', 'cleo', '--quota', '1GB', '--json'])
  expect([change.status, codeIn(change)]).toEqual([64, 'member-removed'])
  const { invite } = await grid.json<{ invite: string }>(['grid', 'invite'])
  expect((await run('cleo', ['grid', 'join', '-'], invite)).status).not.toBe(0)
  expect((await run('cleo', ['put', file])).status).toBe(77)
  const back = await grid.json<MemberJson>(['grid', 'readmit', 'cleo'])
  expect(back).toMatchObject({ status: 'in', changed: true })
  expect((await run('cleo', ['put', file])).status).toBe(0)
})

it('two admins who contradict each other offline come to one answer, and are told', async () => {
  const { word } = await grid.json<MemberJson>(['grid', 'member', 'ben', '--role', 'admin'])
  expect((await run('ben', ['grid', 'join', '-'], word)).status).toBe(0)
  await json('ben', ['grid', 'member', 'cleo', '--quota', '5MB'])
  await everybodySees('cleo', { quotaBytes: 5e6 })
  await grid.stopNodes([])
  await grid.json(['grid', 'member', 'cleo', '--quota', '6MB'])
  await json('ben', ['grid', 'member', 'cleo', '--quota', '7MB'])
  await grid.startNodes()
  // Ben's computer tells of it with whatever it does next.
  await seenBy(homeOf('ben'), 'cleo')
  await until(async () => (await seenBy(grid.home, 'cleo'))?.quotaBytes === 7e6)
  const views = await Promise.all(
    [grid.home, homeOf('ben'), homeOf('cleo')].map(async (home) => await seenBy(home, 'cleo')),
  )
  for (const view of views) {
    expect(view).toMatchObject({ quotaBytes: 7e6, overruled: { status: 'in', quotaBytes: 6e6 } })
  }
  const { stdout } = await run('cleo', ['grid', 'members'])
  expect(stdout).toContain('Two admins changed this without knowing of each other.')
  await grid.json(['grid', 'member', 'cleo', '--quota', '6MB'])
  expect(await seenBy(homeOf('ben'), 'cleo')).toMatchObject({ quotaBytes: 6e6, overruled: null })
})

it('a removal by one is not undone by another who has not heard of it', async () => {
  await grid.stopNodes([])
  await grid.run(['grid', 'remove', 'cleo'])
  await json('ben', ['grid', 'member', 'cleo', '--quota', '9MB'])
  await grid.startNodes()
  await until(async () => (await seenBy(homeOf('ben'), 'cleo'))?.status === 'removed')
  expect(await seenBy(grid.home, 'cleo')).toMatchObject({ status: 'removed' })
  expect((await seenBy(grid.home, 'cleo'))?.overruled?.quotaBytes).toBe(9e6)
})

it('an admin who says one thing here and another there is found out, and all agree', async () => {
  await grid.stopNodes([])
  const before = await membershipOf(grid.home)
  const ben = before.members.find(({ name }) => name === 'ben')
  if (ben === undefined) throw new Error('there is no ben')
  const signing = signingAsGrid(await gridKeyOf(grid.home, before))
  const seq = systemClock.nowMs() + 1
  const tell = async (home: string, change: MemberChange): Promise<void> => {
    const membership = await membershipOf(home)
    membership.add([signMember({ ...nextOf(ben, change, seq), seq }, signing).bytes])
    await writeMembership(homeFiles(home).membership, membership, systemClock)
  }
  const [first, second] = grid.nodes.map(({ home }) => home)
  await tell(first ?? '', { quotaBytes: 1e6 })
  await tell(second ?? '', { quotaBytes: 2e6 })
  await grid.startNodes()
  const quotas = [1e6, 2e6]
  await until(async () => {
    const own = await seenBy(grid.home, 'ben')
    const theirs = await seenBy(homeOf('ben'), 'ben')
    const said = [own, theirs].map((view) => [view?.quotaBytes, view?.overruled?.quotaBytes])
    return (
      JSON.stringify(said[0]) === JSON.stringify(said[1]) &&
      quotas.every((quota) => said[0]?.includes(quota))
    )
  })
})
