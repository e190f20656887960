import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { logToFile } from '../../src/cli/node-log.ts'
import { temporaryFolder } from '../support/temporary.ts'

const clock = { nowMs: () => 0, monotonicMs: () => 0, after: () => () => undefined }

it('keeps one line an event, whatever the text holds', async () => {
  const path = join(await temporaryFolder(), 'node.log')
  logToFile(path, clock).write('disk-error', 'first\nsecond\u001B[2Jthird')
  expect(await readFile(path, 'utf8')).toBe(
    '1970-01-01T00:00:00.000Z disk-error first second [2Jthird\n',
  )
})

it('never grows beyond two files of a MiB', async () => {
  const path = join(await temporaryFolder(), 'node.log')
  const log = logToFile(path, clock)
  for (let at = 0; at < 10_000; at++) log.write('noise', 'x'.repeat(1000))
  expect((await stat(path)).size).toBeLessThanOrEqual(2 ** 20)
  expect((await stat(`${path}.1`)).size).toBeLessThanOrEqual(2 ** 20)
})
