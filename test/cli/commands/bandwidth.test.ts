import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hayloft, type Run } from '../../support/hayloft.ts'
import { temporaryFolder } from '../../support/temporary.ts'

const OFFICE = 'mon-fri 08:00-18:00'

async function emptyHome(): Promise<(...args: string[]) => Promise<Run>> {
  const home = join(await temporaryFolder(), 'home')
  return async (...args) => await hayloft(['bandwidth', ...args], { home })
}

describe('hayloft bandwidth', () => {
  it('sets usual limits and those of times, shows them, and takes them away', async () => {
    const bandwidth = await emptyHome()
    expect(await bandwidth()).toMatchObject({
      status: 0,
      stdout: 'usually  up no limit, down no limit\n',
    })
    expect(await bandwidth('--upload', '2MB/s')).toMatchObject({ status: 0 })
    expect(await bandwidth('--when', 'Mon-Fri 8:00-18:00', '--upload', '500KB/s')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`${OFFICE}  up 500 KB/s, down no limit`) as string,
    })
    // The same time once more is changed, not doubled.
    const run = await bandwidth('--when', OFFICE, '--download', '8Mbit', '--json')
    expect(JSON.parse(run.stdout)).toMatchObject({
      usual: { uploadBytesPerS: 2e6, downloadBytesPerS: null },
      times: [{ when: OFFICE, uploadBytesPerS: 5e5, downloadBytesPerS: 1e6 }],
    })
    expect((await bandwidth('--when', OFFICE, '--clear')).stdout).not.toContain('mon')
    expect(await bandwidth('--clear')).toMatchObject({
      stdout: 'usually  up no limit, down no limit\n',
    })
  })

  it.each([
    [['--upload', 'fast'], 'The option --upload takes a rate'],
    [['--download', '0'], 'The option --download takes a rate'],
    [['--when', 'at noon', '--upload', '1MB/s'], 'takes a time of the week'],
    [['--when', OFFICE], 'needs a limit for that time'],
    [['--when', OFFICE, '--clear'], `Nothing is set for ${OFFICE}`],
    [['--clear', '--upload', '1MB/s'], 'goes with no new ones'],
  ])('refuses %j in a sentence', async (args, sentence) => {
    const bandwidth = await emptyHome()
    const run = await bandwidth(...args)
    expect(run).toMatchObject({ status: 64, stdout: '' })
    expect(run.stderr).toContain(sentence)
  })
})
