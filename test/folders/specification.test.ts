import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/foundation/bytes.ts'
import { blockId } from '../../src/protocol/block-id.ts'
import { MAX_CLOCK_TAGS, type TagHex } from '../../src/protocol/version-vector.ts'
import { MAX_SPAN_TAGS } from '../../src/folders/dots.ts'
import * as entry from '../../src/folders/entry.ts'
import { checkName, MAX_NAME_BYTES, MAX_PATH_NAMES } from '../../src/folders/names.ts'
import { ALLOWANCE_BYTES, FIELD } from '../../src/folders/tree/entry-codec.ts'
import { encodeLeaf, MAX_VERSIONS } from '../../src/folders/tree/node-codec.ts'
import { MAX_DEPTH } from '../../src/folders/tree/position.ts'
import { MAX_LEAF_WEIGHT } from '../../src/folders/tree/summary.ts'

const path = new URL('../../docs/specification/folders.md', import.meta.url)
const text = readFileSync(path, 'utf8').replaceAll(/\s+/g, ' ')

describe('the specification of folders', () => {
  it('has an example that is right', () => {
    const file = {
      kind: 'file' as const,
      name: checkName('a'),
      dots: new Map([['0102030405060708' as TagHex, 9]]),
      mtimeMs: 1000,
      device: 'Anna',
      reference: { key: new Uint8Array(32).fill(1), id: blockId(new Uint8Array(32)) },
      verifyKey: new Uint8Array(32),
      sizeBytes: 300,
      isExecutable: true,
    }
    const { content } = encodeLeaf([file], '', 'full')
    expect(text.replaceAll(' ', '')).toContain(toHex(content))
  })

  it('gives the numbers that the code keeps', () => {
    const say = (number: number): string => number.toLocaleString('en-US').replace('-', '−')
    for (const words of [
      `1 to ${say(MAX_NAME_BYTES)} bytes`,
      `at most ${say(MAX_PATH_NAMES)} names`,
      `${say(entry.MIN_MTIME_MS)} to ${say(entry.MAX_MTIME_MS)}`,
      `(0 to ${say(entry.MAX_LITERAL_BYTES)})`,
      `(1 to ${say(entry.MAX_TARGET_BYTES)}, UTF-8)`,
      `1 to ${say(entry.MAX_DEVICE_BYTES)} bytes`,
      `at most ${say(entry.MAX_EXTENSION_BYTES)}: kept`,
      `bytes, ${say(entry.SEALED_WRITE_KEY_BYTES)};`,
      `n ≤ ${say(MAX_CLOCK_TAGS)}`,
      `more than ${say(MAX_SPAN_TAGS)} tags`,
      `bare form and ${say(ALLOWANCE_BYTES)}.`,
      `at most ${say(MAX_LEAF_WEIGHT)}`,
      `single name at most ${say(MAX_VERSIONS)} entries`,
      `(at most ${say(MAX_DEPTH)})`,
    ]) {
      expect(text).toContain(words)
    }
    for (const number of Object.values(FIELD)) expect(text).toContain(`| ${number} |`)
  })
})
