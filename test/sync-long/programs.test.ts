import { execFile } from 'node:child_process'
import { appendFile, link, mkdir, open, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SyncedPair } from './synced-pair.ts'

const run = promisify(execFile)
let pair: SyncedPair

beforeAll(async () => {
  pair = await SyncedPair.start()
})
afterAll(async () => {
  await pair[Symbol.asyncDispose]()
})

async function git(side: 'desk' | 'lap', ...args: string[]): Promise<string> {
  const who = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'gc.auto=0']
  const { stdout } = await run('git', ['-C', pair.at(side, 'repo'), ...who, ...args])
  return stdout
}

describe('a synced directory under the hands of programs', () => {
  it('has what editors save, in whichever way, and no conflict copies', async () => {
    const file = (name: string): string => pair.at('desk', name)
    for (const name of ['plain', 'vim', 'emacs', 'code', 'office'])
      await writeFile(file(name), 'first')
    await pair.settle((files) => files['office'] === 'first')
    await writeFile(file('plain'), 'second')
    // vim: the old one becomes a backup, the new one is written in its place, the backup goes.
    await rename(file('vim'), file('vim~'))
    await writeFile(file('vim'), 'second')
    await rm(file('vim~'))
    // emacs: a lock that points nowhere, a second name as backup, then a temporary renamed over it.
    await symlink('ada@desk.4711:1', file('.#emacs'))
    await link(file('emacs'), file('emacs~'))
    await writeFile(file('#emacs#'), 'second')
    await rename(file('#emacs#'), file('emacs'))
    await rm(file('emacs~'))
    await rm(file('.#emacs'))
    // VS Code: in place.
    const handle = await open(file('code'), 'r+')
    await handle.truncate(0)
    await handle.write('second')
    await handle.close()
    // LibreOffice: a lock file, a temporary, a rename.
    await writeFile(file('.~lock.office#'), 'Ada')
    await writeFile(file('lu4711.tmp'), 'second')
    await rename(file('lu4711.tmp'), file('office'))
    await rm(file('.~lock.office#'))
    await pair.settle((files) => Object.values(files).every((text) => text === 'second'))
    expect(Object.keys(await pair.listing('lap'))).toEqual([
      'code',
      'emacs',
      'office',
      'plain',
      'vim',
    ])
  })

  it('keeps a git repository whole', async () => {
    await mkdir(pair.at('desk', 'repo'))
    await git('desk', 'init', '-q')
    for (let commit = 0; commit < 5; commit++) {
      await appendFile(pair.at('desk', 'repo', 'file'), `line ${commit}\n`)
      await git('desk', 'add', '.')
      await git('desk', 'commit', '-q', '-m', `change ${commit}`)
    }
    await git('desk', 'checkout', '-q', '-b', 'branch', 'HEAD~2')
    await git('desk', 'gc', '-q')
    await pair.settle((files) => 'repo/.git/packed-refs' in files)
    await git('lap', 'fsck', '--strict')
    expect(await git('lap', 'log', '--format=%s', 'branch')).toBe('change 2\nchange 1\nchange 0\n')
    expect(await git('lap', 'status', '--porcelain')).toBe('')
    await git('lap', 'checkout', '-q', '-')
    await pair.settle((files) => files['repo/file']?.includes('line 4') === true)
    await git('desk', 'fsck', '--strict')
    expect(await git('desk', 'status', '--porcelain')).toBe('')
  })

  it('has ten thousand small files, and has them renamed and removed', async () => {
    await mkdir(pair.at('desk', 'many'))
    for (let file = 0; file < 10_000; file++) {
      await writeFile(pair.at('desk', 'many', `${file}`), `file ${file}`)
    }
    const countIn = (files: Record<string, string>, name: string): number =>
      Object.keys(files).filter((path) => path.startsWith(`${name}/`)).length
    await pair.settle((files) => countIn(files, 'many') === 10_001)
    await rename(pair.at('lap', 'many'), pair.at('lap', 'renamed'))
    await pair.settle((files) => countIn(files, 'renamed') === 10_001)
    await rm(pair.at('desk', 'renamed'), { recursive: true })
    await pair.run('desk', ['sync', 'resume', '--allow-removals'])
    await pair.settle((files) => countIn(files, 'renamed') === 0)
  })
})
