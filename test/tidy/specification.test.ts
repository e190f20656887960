import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { formatCapability } from '../../src/capabilities/text.ts'
import { accountKeyOf, accountSecret, rootFolderOf } from '../../src/capabilities/account.ts'
import { toRead, toVerify } from '../../src/capabilities/capability.ts'
import { formatText } from '../../src/capabilities/checked-text.ts'
import { LATER_PREFIXES, RECOVERY_KIND, TEXT_KINDS } from '../../src/capabilities/kinds.ts'
import { formatRecoveryKey, recoveryWords } from '../../src/capabilities/recovery.ts'
import { slotWriteKey, slotWriteKeys } from '../../src/capabilities/slot-keys.ts'
import { readKeyOf, verifyKeyOf } from '../../src/crypto/block-keys.ts'
import { sha256 } from '../../src/crypto/hash.ts'
import { KEY_LABELS, TAGS } from '../../src/crypto/tags.ts'
import { erasureCode } from '../../src/erasure/code.ts'
import { portableEngine } from '../../src/erasure/engines.ts'
import { parityMatrix } from '../../src/erasure/matrix.ts'
import { concatBytes, fromHex, toHex, utf8 } from '../../src/foundation/bytes.ts'
import { encodeBlock } from '../../src/grid/blocks/encode.ts'
import { encodeFrame } from '../../src/grid/blocks/frame.ts'
import { paddedBytes } from '../../src/protocol/padding.ts'
import { convergentKey, sealedBytes } from '../../src/grid/blocks/seal.ts'
import { toShareBitmap } from '../../src/protocol/bitmap.ts'
import { MAX_MANIFEST_BYTES, MAX_PROOF_BYTES } from '../../src/protocol/codec-parts.ts'
import { encodeReply, encodeRequest } from '../../src/protocol/codec.ts'
import { encodeFrame as encodeMessageFrame } from '../../src/protocol/framing.ts'
import * as limits from '../../src/protocol/limits.ts'
import { MAX_GRANT_BYTES } from '../../src/protocol/membership/grant.ts'
import * as members from '../../src/protocol/membership/limits.ts'
import {
  decodeSlotRecord,
  headsDigest,
  MAX_SLOT_RECORD_BYTES,
  MIN_SLOT_RECORD_BYTES,
  slotRecordBytes,
} from '../../src/protocol/slot-record.ts'
import { MAX_CLOCK_TAGS } from '../../src/protocol/version-vector.ts'
import { readSources } from './sources.ts'

// The specification's examples and numbers, computed anew: a document that nothing checks drifts from the code.

const documents = new Map(
  readSources(['docs/specification'], '.md').map(({ path, text }) => [
    path.replace(/^.*\//, ''),
    // Tables are padded for the eye, and examples are grouped by spaces.
    text.replaceAll(/[ ]+/g, ' '),
  ]),
)

function textOf(name: string): string {
  const text = documents.get(name)
  if (text === undefined) throw new Error(`There is no docs/specification/${name}.`)
  return text
}

/** Hexadecimal examples without the spaces and line ends between their groups. */
function digitsOf(name: string): string {
  return textOf(name).replaceAll(/\s/g, '')
}

const frame = encodeFrame({ kind: 0, level: 0, links: [], content: utf8('Hayloft') })
const key = convergentKey(
  Uint8Array.from({ length: 32 }, (_, i) => i),
  frame,
)
const shares = encodeBlock(portableEngine, { key, frame, code: erasureCode(3, 10) })

describe('the specification', () => {
  it('has a whole block that is right', () => {
    const text = digitsOf('blocks.md')
    const [first] = shares.shards
    for (const bytes of [
      frame.header,
      sha256(frame.whole),
      key,
      verifyKeyOf(key),
      readKeyOf(key),
      (first as Uint8Array).subarray(0, 44),
      shares.manifest.subarray(0, 8),
      shares.manifest.subarray(8, 40),
      shares.manifest.subarray(-32),
      shares.id,
    ]) {
      expect(text).toContain(toHex(bytes))
    }
    expect(textOf('blocks.md')).toContain(
      `|C|, S ${sealedBytes(frame)}, ${(first as Uint8Array).length}`,
    )
  })

  it('has capabilities of that block that are right', () => {
    const read = { kind: 'file-read' as const, key, id: shares.id }
    const literal = { kind: 'literal' as const, bytes: utf8('Hayloft') }
    for (const capability of [read, toVerify(read), literal]) {
      expect(textOf('capabilities.md')).toContain(`${formatCapability(capability)}\n`)
    }
  })

  it('has capabilities of slots and an account that are right', () => {
    const text = textOf('capabilities.md')
    const bytes = Uint8Array.from({ length: 32 }, (_, i) => i)
    const writeKey = slotWriteKey(bytes)
    const folder = { kind: 'folder-write', writeKey } as const
    const mutable = { kind: 'mutable-write', writeKey } as const
    const secret = accountSecret(bytes)
    for (const write of [folder, mutable]) {
      for (const capability of [write, toRead(write), toVerify(write)]) {
        expect(text).toContain(`${formatCapability(capability)}\n`)
      }
    }
    const { slot, readKey, verifyKey } = slotWriteKeys(writeKey)
    for (const key of [slot, readKey, verifyKey, accountKeyOf(secret)]) {
      expect(text).toContain(`${toHex(key)}\n`)
    }
    expect(text).toContain(`${formatRecoveryKey(secret)}\n`)
    expect(text.replaceAll('\n', ' ')).toContain(recoveryWords(secret).join(' '))
    expect(text).toContain(`${formatCapability(rootFolderOf(secret))}\n`)
  })

  it('gives the length of every text', () => {
    const text = textOf('capabilities.md')
    for (const { prefix, minBytes, maxBytes } of [...TEXT_KINDS, RECOVERY_KIND]) {
      const lengths = [minBytes, maxBytes].map(
        (bytes) => formatText({ prefix, minBytes, maxBytes }, new Uint8Array(bytes)).length,
      )
      const shown = [...new Set(lengths)].join(' to ')
      expect(text).toContain(`| \`${prefix}\` | ${shown} |`)
    }
  })

  it('has messages that are right', () => {
    const text = digitsOf('storage-protocol.md')
    const holdings = [toShareBitmap([0, 9])]
    const refusal = { op: 'refused', reason: 'busy', message: 'Later.' } as const
    for (const parts of [
      encodeMessageFrame(7, encodeRequest({ op: 'have', ids: [shares.id] })),
      encodeMessageFrame(7, encodeReply({ op: 'have', holdings })),
      encodeMessageFrame(8, encodeReply(refusal)),
    ]) {
      expect(text).toContain(toHex(concatBytes(parts)))
    }
  })

  it('has messages about slots that are right', () => {
    const text = digitsOf('storage-protocol.md')
    const url = new URL('../vectors/slot-records.json', import.meta.url)
    const vectors = JSON.parse(readFileSync(url, 'utf8')) as { records: { record: string }[] }
    const record = fromHex(vectors.records[0]!.record)!
    const watches = [{ slot: decodeSlotRecord(record).slot, known: headsDigest([]) }]
    const stored = { op: 'slot-put', outcome: 'stored', heads: [] } as const
    for (const [requestId, message] of [
      [9, encodeRequest({ op: 'slot-watch', watches, waitS: 60 })],
      [9, encodeReply({ op: 'slot-watch', changed: [] })],
      [10, encodeRequest({ op: 'slot-put', record, leaseS: limits.DEFAULT_LEASE_S })],
      [10, encodeReply(stored)],
    ] as const) {
      const [start] = encodeMessageFrame(requestId, message)
      expect(text).toContain(toHex(start!))
    }
  })

  it('gives the limits of slots that the code keeps', () => {
    const text = textOf('slots.md')
    const [min, max] = [MIN_SLOT_RECORD_BYTES, MAX_SLOT_RECORD_BYTES.toLocaleString('en-US')]
    expect(text).toContain(`423 + 12 c + p bytes, ${min} to ${max}.`)
    expect(slotRecordBytes({ tags: 7, payloadBytes: 640 })).toBe(423 + 12 * 7 + 640)
    expect(text).toContain(`| c | 1 | 1 to ${MAX_CLOCK_TAGS} |`)
    expect(text).toContain(`there are ${limits.MAX_SLOT_HEADS} heads`)
    const protocol = textOf('storage-protocol.md')
    expect(protocol).toContain(`1 to ${max} bytes`)
    expect(protocol).toContain(`up to ${limits.MAX_SLOTS} keys of slots`)
    expect(protocol).toContain(`| 0 to ${limits.MAX_WATCH_WAIT_S} seconds |`)
  })

  it('has an erasure code that is right', () => {
    const text = textOf('blocks.md')
    const rows = parityMatrix(erasureCode(3, 10)).map((row) => row.join(' '))
    expect(text.replaceAll(/^ /gm, '')).toContain(rows.join('\n'))
    expect(parityMatrix(erasureCode(2, 4))).toEqual([
      [1, 1],
      [1, 12],
    ])
    const content = Uint8Array.from({ length: 16 }, (_, i) => i)
    const parity = [new Uint8Array(8), new Uint8Array(8)]
    const data = [content.subarray(0, 8), content.subarray(8)]
    portableEngine.encode(erasureCode(2, 4), data, parity)
    parity.forEach((shard, index) => {
      expect(digitsOf('blocks.md')).toContain(`parityshard${index}${toHex(shard)}`)
    })
  })

  it('has paddings that are right', () => {
    const lengths = [0, 512, 513, 1000, 600_000, 2 ** 20]
    const row = lengths.map((length) => paddedBytes(length).toLocaleString('en-US')).join(' | ')
    expect(textOf('blocks.md')).toContain(`| pad(L) | ${row} |`)
  })

  it('names every tag, label and prefix', () => {
    for (const name of [...Object.values(TAGS), ...Object.values(KEY_LABELS)]) {
      expect(textOf('primitives.md')).toContain(`\`${name}\``)
    }
    for (const prefix of [...TEXT_KINDS.map(({ prefix }) => prefix), ...LATER_PREFIXES]) {
      expect(textOf('capabilities.md')).toContain(`\`${prefix}\``)
    }
  })

  it('gives the limits of statements that the code keeps', () => {
    const text = textOf('membership.md').replaceAll(/\s+/g, ' ')
    const told = (limit: number): string => limit.toLocaleString('en-US')
    expect(text).toContain(`at most ${told(members.MAX_STATEMENT_BYTES)} bytes`)
    expect(text).toContain(`at most ${told(members.MAX_STATEMENTS)} statements and 4 MiB`)
    expect(members.MAX_STATEMENTS_BYTES).toBe(4 * 1024 * 1024)
    expect(text).toContain(`${members.RESERVED_STATEMENTS} statements and 512 KiB are for`)
    expect(members.RESERVED_BYTES).toBe(512 * 1024)
    expect(text).toContain(`1 to ${members.MAX_NAME_CHARACTERS} Unicode characters`)
    expect(text).toContain(`more than ${members.MAX_DEVICE_STATEMENTS} devices`)
    expect(text).toContain(`the first ${members.MAX_DEVICES} devices`)
    expect(text).toContain(`the first ${members.MAX_REFUSED_ADMISSIONS} of each invite`)
    expect(text).toContain(
      `up to ${members.MAX_ADDRESSES} multiaddrs, each a text of 2 to ${members.MAX_ADDRESS_BYTES} bytes`,
    )
    expect(text).toContain(`1 to ${told(members.MAX_INVITE_USES)}`)
    expect(text).toContain(`a day (${told(members.INVITE_GRACE_S)} s)`)
    expect(text).toContain(`at most ${MAX_GRANT_BYTES} bytes`)
    expect(members.MAX_SEQUENCE).toBe(2 ** 53 - 2)
  })

  it('gives the limits that the code keeps', () => {
    const protocol = textOf('storage-protocol.md')
    for (const limit of [
      limits.MAX_HEADER_BYTES,
      limits.MAX_BODY_BYTES,
      limits.MAX_IDS,
      limits.MAX_LEASE_S,
      limits.MAX_AUDIT_LEAVES,
      MAX_MANIFEST_BYTES,
      MAX_PROOF_BYTES,
    ]) {
      expect(protocol).toContain(` ${limit.toLocaleString('en-US')} `)
    }
    expect(textOf('blocks.md')).toContain(
      `1 ≤ |C| ≤ ${limits.MAX_CIPHERTEXT_BYTES.toLocaleString('en-US')}`,
    )
    expect(textOf('blocks.md')).toContain(`1 ≤ k ≤ ${limits.MAX_REQUIRED}`)
    expect(textOf('blocks.md')).toContain(`k ≤ n ≤ ${limits.MAX_SHARES}`)
  })
})
