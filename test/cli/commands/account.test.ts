import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { accountSecret, rootFolderOf } from '../../../src/capabilities/account.ts'
import { formatRecoveryKey, recoveryWords } from '../../../src/capabilities/recovery.ts'
import { formatCapability } from '../../../src/capabilities/text.ts'
import { homeFiles } from '../../../src/home/layout.ts'
import { ensureSecret } from '../../../src/home/secrets.ts'
import { systemRandomness } from '../../../src/foundation/system.ts'
import { hayloft, type Run } from '../../support/hayloft.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const ACCOUNT = accountSecret(Uint8Array.from({ length: 32 }, (_, i) => i * 3))
const KEY = formatRecoveryKey(ACCOUNT)
const WORDS = recoveryWords(ACCOUNT).join(' ')

interface Shown {
  readonly account: string
  readonly device: string
  readonly created: boolean
  readonly recoveryKey: string
  readonly words: string[]
}

async function emptyHome(): Promise<string> {
  return join(await temporaryFolder(), 'home')
}

async function shown(args: readonly string[], home: string): Promise<Shown> {
  const run = await hayloft([...args, '--json'], { home })
  expect(run).toMatchObject({ status: 0, stderr: '' })
  return JSON.parse(run.stdout) as Shown
}

function expectRefusal(run: Run, status: number, words: string): void {
  expect(run).toMatchObject({ status, stdout: '' })
  expect(run.stderr).toMatch(/^hayloft: \S[^\n]*\n$/)
  expect(run.stderr).toContain(words)
}

describe('hayloft init', () => {
  it('makes an account, shows its recovery key once, and overwrites nothing', async () => {
    const home = await emptyHome()
    const made = await hayloft(['init'], { home })
    expect(made.status).toBe(0)
    const { recoveryKey, words } = await shown(['recovery-key'], home)
    expect(made.stdout).toContain(recoveryKey)
    expect(made.stdout).toContain(`24. ${words[23]}`)
    expect(made.stderr).toContain('belongs to no grid')
    expect(await readdir(home)).toEqual(['secrets.json'])
    expect((await stat(home)).mode & 0o777).toBe(0o700)
    const before = await readFile(join(home, 'secrets.json'), 'utf8')

    const again = await hayloft(['init'], { home })
    expect(again.status).toBe(0)
    expect(again.stdout).toContain('stays as it is')
    expect(again.stdout).not.toContain(recoveryKey)
    expectRefusal(await hayloft(['init', '--passphrase'], { home }), 73, 'overwrites none')
    expect(await readFile(join(home, 'secrets.json'), 'utf8')).toBe(before)
  })

  it('keeps what a home has already, and can show its recovery key', async () => {
    const home = await temporaryFolder()
    const files = homeFiles(home)
    const account = await ensureSecret(files.accountKey, systemRandomness)
    await ensureSecret(files.identityKey, systemRandomness)
    expect((await shown(['init'], home)).created).toBe(false)
    const { recoveryKey } = await shown(['recovery-key'], home)
    expect(recoveryKey).toBe(formatRecoveryKey(accountSecret(account)))
    expect((await readdir(home)).toSorted()).toEqual(['account.key', 'identity.key'])
  })

  it('asks for a passphrase where nobody can be asked only of a file', async () => {
    const home = await emptyHome()
    const file = join(await temporaryFolder(), 'passphrase')
    await writeFile(file, 'correct horse\n')
    const named = ['--passphrase-file', file]
    const { recoveryKey } = await shown(['init', '--passphrase', ...named], home)
    expect((await shown([...named, 'recovery-key'], home)).recoveryKey).toBe(recoveryKey)
    await writeFile(file, 'another horse\n')
    const refused = await hayloft(['recovery-key', ...named], { home })
    expectRefusal(refused, 77, 'not the passphrase')
    await writeFile(file, 'correct horse\n')
    expect((await hayloft(['passphrase', '--remove', ...named], { home })).status).toBe(0)
    expect((await shown(['recovery-key'], home)).recoveryKey).toBe(recoveryKey)
  })
})

describe('hayloft recover', () => {
  it.each([
    ['words', WORDS],
    ['numbered words', WORDS.replaceAll(/\S+/g, (word) => `1. ${word}\n`)],
    ['one word', KEY],
  ])('brings an account back from %s', async (_, stdin) => {
    const home = await emptyHome()
    const run = await hayloft(['recover', '--json'], { home, stdin })
    expect(run.status).toBe(0)
    expect(JSON.parse(run.stdout)).toMatchObject({ recovered: true, needs: ['grid'] })
    expect((await shown(['recovery-key'], home)).recoveryKey).toBe(KEY)
  })

  it('brings it back from a file, to another device, and then leaves it alone', async () => {
    const file = join(await temporaryFolder(), 'key')
    await writeFile(file, KEY)
    const homes = [await emptyHome(), await emptyHome()]
    const [one, other] = await Promise.all(homes.map((home) => shown(['recover', file], home)))
    expect(one?.account).toBe(other?.account)
    expect(one?.device).not.toBe(other?.device)

    const [home = ''] = homes
    expect((await hayloft(['recover', file], { home })).stdout).toContain('this account already')
    await writeFile(file, formatRecoveryKey(accountSecret(new Uint8Array(32))))
    expectRefusal(await hayloft(['recover', file], { home }), 73, 'another account already')
  })

  it('names a wrong word by its place', async () => {
    const home = await emptyHome()
    const stdin = WORDS.split(' ').with(6, 'hunter').join(' ')
    const run = await hayloft(['recover'], { home, stdin })
    expectRefusal(run, 64, 'Word 7')
    expect(run.stderr).not.toContain('hunter')
    expectRefusal(await hayloft(['recover'], { home, stdin: `${WORDS} zoo` }), 64, '25')
  })

  it('takes no key from the command line, and repeats none', async () => {
    const home = await emptyHome()
    const runs = await Promise.all(
      [[KEY], [WORDS], WORDS.split(' ')].map((args) => hayloft(['recover', ...args], { home })),
    )
    for (const run of runs) {
      expectRefusal(run, 64, '')
      expect(run.stderr).not.toContain(KEY.slice(15, 30))
      expect(run.stderr).not.toContain(WORDS.slice(0, 20))
    }
    expect(runs[0]?.stderr).toContain('must not stand on the command line')
  })
})

describe('hayloft alias', () => {
  const CAP = formatCapability(rootFolderOf(ACCOUNT))

  it('names capabilities, and shows them on request alone', async () => {
    const home = await emptyHome()
    await shown(['init'], home)
    expect((await hayloft(['alias', 'add', 'notes', '-'], { home, stdin: CAP })).status).toBe(0)
    const refused = await hayloft(['alias', 'add', 'notes:', CAP], { home })
    expectRefusal(refused, 73, 'already')
    const list = await hayloft(['alias', 'list'], { home })
    expect(list.stdout).toContain('home:')
    expect(list.stdout).toContain('notes:')
    expect(list.stdout).not.toContain('1q')
    const json = await hayloft(['alias', 'list', '--json', '--show'], { home })
    expect(JSON.parse(json.stdout)).toContainEqual({
      name: 'notes',
      kind: 'folder-write',
      capability: CAP,
    })
    expect((await hayloft(['alias', 'remove', 'notes'], { home })).status).toBe(0)
    expectRefusal(await hayloft(['alias', 'remove', 'notes'], { home }), 66, 'no alias notes')
  })

  it('needs an account, and lets nobody rename home', async () => {
    const home = await emptyHome()
    expectRefusal(await hayloft(['alias', 'list'], { home }), 78, 'hayloft init')
    for (const action of [
      ['add', 'home', CAP],
      ['remove', 'home'],
      ['add', 'c', CAP],
    ]) {
      expectRefusal(await hayloft(['alias', ...action], { home }), 64, 'alias')
    }
  })
})
