import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatCapability } from '../../src/capabilities/text.ts'
import { toVerify } from '../../src/capabilities/capability.ts'
import { blockId } from '../../src/protocol/block-id.ts'
import { hayloft, NO_HOME, type Run } from '../support/hayloft.ts'
import { temporaryFolder } from '../support/temporary.ts'

const FILE = {
  kind: 'file-read',
  key: new Uint8Array(32).fill(1),
  id: blockId(new Uint8Array(32)),
} as const
const GOOD = formatCapability(FILE)

/** Every failure is one sentence on standard error, and nothing on standard output. */
function expectRefusal(run: Run, status: number): void {
  expect(run).toMatchObject({ status, stdout: '' })
  expect(run.stderr).toMatch(/^hayloft: \S[^\n]*\n$/)
  expect(run.stderr).not.toMatch(/\bat .*:\d+:\d+/)
}

describe('a capability that is', () => {
  // With no home at all, whatever tried to reach a node would fail in another way.
  const wrong: readonly [string, string][] = [
    ['truncated', GOOD.slice(0, 60)],
    ['mistyped', GOOD.replace(/.$/, (last) => (last === 'q' ? 'p' : 'q'))],
    ['foreign', 'URI:CHK:aaaaaaaaaaaaaaaa:bbbbbbbbbbbbbbbbbb:3:10:1000'],
    ['no capability', 'README.md'],
    ['empty', ''],
    ['of a later kind', GOOD.replace('hayfile', 'haylink')],
  ]

  it.each(wrong)('%s is refused with status 64, and not repeated', async (_, text) => {
    const run = await hayloft(['get', text])
    expectRefusal(run, 64)
    expect(run.stderr).not.toContain(GOOD.slice(20, 40))
  })

  it.each(['check', 'repair', 'capability'])('mistyped is refused by %s too', async (command) => {
    expectRefusal(await hayloft([command, GOOD.replace('q', 'p')]), 64)
  })

  it('too weak to read is refused, and told what it is good for', async () => {
    const run = await hayloft(['get', formatCapability(toVerify(FILE))])
    expectRefusal(run, 64)
    expect(run.stderr).toContain('check and repair')
  })
})

describe('a command line', () => {
  it.each<[string[]]>([
    [['frobnicate']],
    [['put']],
    [['get']],
    [['check']],
    [['put', 'a', '--bogus']],
    [['put', 'a', '--shares', '11/10']],
    [['put', 'a', '--shares', 'ten']],
    [['put', '-', '-']],
    [['get', GOOD, '--range', '5']],
    [['get', GOOD, 'a', 'b']],
    [['check', GOOD, '--verify', 'hard']],
    [['capability', GOOD, '--to', 'write']],
    [['practice', 'start', '--nodes', '0']],
    [['put', '-r', '.']],
    [['put', 'a', '--if-unchanged']],
    [['put', 'a', 'home:', '--random-key']],
    [['put', 'a', 'home:a', '--if-version', '5']],
    [['get', GOOD, 'a', '-o', 'b']],
    [['get', GOOD, '-r', '-o', 'b']],
    [['cp', 'home:a']],
    [['du', 'home:', '--depth', 'x']],
    [['restore', 'home:a', '--at', 'whenever']],
  ])('%j is refused with status 64', async (args) => {
    expectRefusal(await hayloft(args), 64)
  })

  it('is not repeated in the error where it holds a capability', async () => {
    const runs = await Promise.all(
      [[GOOD], ['put', GOOD], ['practice', 'stop', '--dir', GOOD]].map((args) => hayloft(args)),
    )
    for (const { status, stderr } of runs) {
      expect(status).toBeGreaterThanOrEqual(64)
      expect(stderr).not.toContain(GOOD.slice(8, 30))
    }
  })

  it('that names no command gets the help', async () => {
    const { status, stdout, stderr } = await hayloft([])
    expect({ status, stdout }).toEqual({ status: 64, stdout: '' })
    expect(stderr).toContain('practice')
  })

  it('with --json has its error as JSON on standard error', async () => {
    const { status, stdout, stderr } = await hayloft(['put', '/nonexistent/file', '--json'])
    expect({ status, stdout }).toEqual({ status: 66, stdout: '' })
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'not-found', message: 'The file /nonexistent/file does not exist.' },
    })
  })

  it('leaves no trace of a home that it had no use for', async () => {
    await hayloft(['capability', GOOD])
    await hayloft(['get', GOOD])
    expect(existsSync(NO_HOME)).toBe(false)
  })
})

describe('a place', () => {
  it('that cannot take the file is refused before anything is looked for', async () => {
    const folder = await temporaryFolder()
    await mkdir(join(folder, 'directory'))
    execFileSync('mkfifo', [join(folder, 'fifo')])
    for (const name of ['directory', 'fifo', 'missing/file']) {
      expectRefusal(await hayloft(['get', GOOD, '-o', join(folder, name)]), 73)
    }
  })

  it('that belongs to no grid is told, with what to do', async () => {
    const run = await hayloft(['get', GOOD])
    expectRefusal(run, 78)
    expect(run.stderr).toContain('hayloft practice start')
  })

  it('whose files are damaged is told, with which', async () => {
    const home = await temporaryFolder()
    await writeFile(join(home, 'grid.json'), '{"format":"hayloft-grid","version":7}')
    const run = await hayloft(['get', GOOD], { home })
    expectRefusal(run, 78)
    expect(run.stderr).toContain('grid.json')
    expect(run.stderr).toContain('version 7')
  })

  it('to read from that is a directory is told to be one', async () => {
    expectRefusal(await hayloft(['put', await temporaryFolder()]), 66)
  })
})

describe('a literal', () => {
  const LITERAL = formatCapability({ kind: 'literal', bytes: Buffer.from('hello, world') })

  it('is read and checked without any grid', async () => {
    expect(await hayloft(['get', LITERAL])).toMatchObject({ status: 0, stdout: 'hello, world' })
    expect(await hayloft(['get', '-', '--range', '7:99'], { stdin: `${LITERAL}\n` })).toMatchObject(
      {
        status: 0,
        stdout: 'world',
      },
    )
    expect(await hayloft(['check', LITERAL])).toMatchObject({ status: 0 })
    expectRefusal(await hayloft(['get', LITERAL, '--range', '13:1']), 64)
  })
})
