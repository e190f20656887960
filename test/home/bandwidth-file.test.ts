import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readBandwidthFile, writeBandwidthFile } from '../../src/home/bandwidth-file.ts'
import { temporaryFolder } from '../support/temporary.ts'

describe('the bandwidth file', () => {
  it('is read as it was written; none is no limit', async () => {
    const path = join(await temporaryFolder(), 'bandwidth.json')
    expect(await readBandwidthFile(path)).toEqual({ usual: {}, times: [] })
    const schedule = {
      usual: { uploadBytesPerS: 1e6, downloadBytesPerS: undefined },
      times: [
        {
          days: [1, 2, 3, 4, 5],
          fromMinute: 480,
          toMinute: 1080,
          uploadBytesPerS: 50_000,
          downloadBytesPerS: undefined,
        },
      ],
    }
    await writeBandwidthFile(path, schedule)
    expect(await readBandwidthFile(path)).toEqual(schedule)
  })

  it.each([
    ['a limit that stops everything', { uploadBytesPerS: 0 }, 'would stop everything'],
    ['a rate that is none', { downloadBytesPerS: -1 }, 'whole number'],
    ['a time that is none', { times: [{ when: 'at noon' }] }, 'not a time'],
    [
      'more times than anybody needs',
      { times: Array.from({ length: 51 }, () => ({ when: '08:00-09:00' })) },
      'more than 50 times',
    ],
  ])('is refused with %s', async (_, body, sentence) => {
    const path = join(await temporaryFolder(), 'bandwidth.json')
    await writeFile(path, JSON.stringify({ format: 'hayloft-bandwidth', version: 1, ...body }))
    await expect(readBandwidthFile(path)).rejects.toThrow(sentence)
  })
})
