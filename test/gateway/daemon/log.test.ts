import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/foundation/system.ts'
import { logToFiles } from '../../../src/gateway/daemon/log.ts'
import { temporaryFolder } from '../../support/temporary.ts'

let dir: string
beforeEach(async () => {
  dir = await temporaryFolder()
})

const linesOf = async (name: string): Promise<string[]> =>
  (await readFile(join(dir, name), 'utf8')).trimEnd().split('\n')

describe('the log of a daemon', () => {
  it('is a JSON object a line, whatever the text holds', async () => {
    const log = logToFiles(dir, { clock: systemClock })
    log.write('ready')
    log.write('odd', 'two\nlines "quoted" \u0007')
    const lines = (await linesOf('daemon.log')).map((line) => JSON.parse(line) as object)
    expect(lines).toEqual([
      { time: expect.stringMatching(/^\d{4}-.*Z$/) as string, event: 'ready' },
      { time: expect.any(String) as string, event: 'odd', text: 'two\nlines "quoted" \u0007' },
    ])
    expect((await stat(join(dir, 'daemon.log'))).mode & 0o077).toBe(0)
  })

  it('holds no capability, not even one that another program put into its message', async () => {
    const log = logToFiles(dir, { clock: systemClock })
    log.write('sync-failed', `no file hayfolderwrite1${'q'.repeat(60)} here`)
    expect(await readFile(join(dir, 'daemon.log'), 'utf8')).not.toContain('qqq')
  })

  it('never takes more than its files may, and keeps the newest lines', async () => {
    const log = logToFiles(dir, { clock: systemClock, maxBytes: 1000, maxFiles: 3 })
    for (let number = 0; number < 200; number++) log.write('event', `number ${number}`)
    const names = (await readdir(dir)).sort()
    expect(names).toEqual(['daemon.1.log', 'daemon.2.log', 'daemon.log'])
    for (const name of names) expect((await stat(join(dir, name))).size).toBeLessThanOrEqual(1000)
    const kept = [...(await linesOf('daemon.2.log')), ...(await linesOf('daemon.1.log'))]
    const all = [...kept, ...(await linesOf('daemon.log'))]
    const numbers = all.map((line) => Number(/number (\d+)/.exec(line)?.[1]))
    expect(numbers).toEqual(Array.from(numbers, (_, at) => 200 - numbers.length + at))
  })

  it('goes on when it could not be written for a while', async () => {
    const log = logToFiles(join(dir, 'logs'), { clock: systemClock })
    await writeFile(join(dir, 'logs'), 'in the way')
    log.write('lost')
    await rm(join(dir, 'logs'))
    await mkdir(join(dir, 'logs'))
    log.write('kept')
    expect(await linesOf('logs/daemon.log')).toHaveLength(1)
  })
})
