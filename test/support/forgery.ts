import { AEAD_TAG_BYTES, seal } from '../../src/crypto/aead.ts'
import { readKeyOf, verifyKeyOf } from '../../src/crypto/block-keys.ts'
import { merkleRoot } from '../../src/crypto/merkle.ts'
import { erasureCode, shardSize } from '../../src/erasure/code.ts'
import { portableEngine } from '../../src/erasure/engines.ts'
import { allocateBytes, concatBytes, viewOf } from '../../src/foundation/bytes.ts'
import { encodeBlock, shareSetOf, type ShareSet } from '../../src/grid/blocks/encode.ts'
import { encodeFrame, type BlockFrame } from '../../src/grid/blocks/frame.ts'
import { indexFrame, type BlockReference } from '../../src/grid/files/index-node.ts'
import type { FileChild } from '../../src/grid/files/index-node.ts'
import { blockIdOf, decodeManifest, encodeManifest } from '../../src/protocol/manifest.ts'

/**
 * Files as no conforming writer makes them, with every hash and tag in order: what a malicious uploader can do. Nodes
 * take their shares gladly; readers must refuse them.
 */
export interface Forgery extends BlockReference {
  /** Share sets of all blocks, root first. */
  readonly blocks: readonly ShareSet[]
}

const code = erasureCode(3, 10)
const KEY = new Uint8Array(32).fill(0x5a)
const CONTENT = Uint8Array.from({ length: 3_000 }, (_, at) => (at * 7) & 255)

/** The three plaintext sections of a block, to be spoilt before they are sealed. */
interface Sections {
  header: Uint8Array
  links: Uint8Array
  content: Uint8Array
}

/** What an honest file of this content would be: to show that the forgers' tools forge nothing by themselves. */
export const honestContent = CONTENT
export const honestFile = (): Forgery => fileOf(honestFrame(), () => {})

/** Frames inside the encryption that are not canonical. */
export const forgedFrames: Record<string, () => Forgery> = {
  'header: version': () => fileOf(honestFrame(), ({ header }) => increment(header, 0)),
  'header: reserved bytes': () => fileOf(honestFrame(), ({ header }) => increment(header, 3)),
  'header: half a link': () => fileOf(honestFrame(), ({ header }) => setU32(header, 4, 64)),
  'header: 4 GiB of links': () =>
    fileOf(honestFrame(), ({ header }) => setU32(header, 4, 65 * 66_076_419)),
  'header: a link that is not there': () =>
    fileOf(honestFrame(), ({ header }) => setU32(header, 4, 65)),
  'header: a shorter content section': () =>
    fileOf(honestFrame(), ({ header }) => setU32(header, 8, viewOf(header).getUint32(8) - 1)),
  'content: another padding': () =>
    fileOf(honestFrame(), (sections) => {
      sections.content = concatBytes([sections.content, new Uint8Array(64)])
      setU32(sections.header, 8, sections.content.length)
    }),
  'content: no padding at all': () =>
    fileOf(honestFrame(), (sections) => {
      sections.content = sections.content.slice(0, 8 + CONTENT.length)
      setU32(sections.header, 8, sections.content.length)
    }),
  'content: only half a header': () =>
    fileOf(honestFrame(), (sections) => {
      sections.content = sections.content.slice(0, 4)
      setU32(sections.header, 8, 4)
    }),
  'content: something in the padding': () =>
    fileOf(honestFrame(), ({ content }) => increment(content, content.length - 1)),
  'content: longer than it is': () =>
    fileOf(honestFrame(), ({ content }) => setU32(content, 4, content.length)),
  'content: 4 GiB long': () => fileOf(honestFrame(), ({ content }) => content.fill(255, 4, 8)),
  'content: reserved bytes': () => fileOf(honestFrame(), ({ content }) => increment(content, 2)),
  'content: unknown kind': () => fileOf(honestFrame(), ({ content }) => content.fill(9, 0, 1)),
  'content: a folder': () => fileOf(honestFrame(), ({ content }) => content.fill(2, 0, 1)),
  'data: with a level': () => fileOf(honestFrame(), ({ content }) => increment(content, 1)),
  'data: with a link': () => fileOf({ ...honestFrame(), links: [linkTo(honestFile())] }, () => {}),
  'index: without children': () =>
    fileOf({ kind: 1, level: 1, links: [], content: new Uint8Array() }, () => {}),
  'index: level 0': () => indexOf({ level: 0 }),
  'index: too deep': () => indexOf({ level: 5 }),
  'index: of another level than its children': () => indexOf({ level: 2 }),
  'index: half a child': () => indexOf({ spoil: (frame) => cut(frame, 20) }),
  'index: more links than children': () => indexOf({ spoil: (frame) => cut(frame, 40) }),
  'index: a child of no bytes': () => indexOf({ sizes: [3_000, 0] }),
  'index: a child larger than it is': () => indexOf({ sizes: [3_000, 3_001] }),
  'index: a child smaller than it is': () => indexOf({ sizes: [2_999, 3_000] }),
  'index: a child larger than a block': () => indexOf({ sizes: [3_000, 2 ** 20 + 1] }),
  'index: a child of 2^63 bytes': () =>
    indexOf({ spoil: (frame) => (increment(frame.content, 0, 0x80), frame) }),
  'index: sizes that wrap around': () =>
    indexOf({ spoil: (frame) => (frame.content.fill(255, 0, 8), frame) }),
  'index: a link to a slot': () =>
    indexOf({}, ({ links }) => {
      links[0] = 1
    }),
  "index: a child's key that is wrong": () =>
    indexOf({ spoil: (frame) => (increment(frame.content, 8 + 5), frame) }),
  'index: a link with another verify key than the child has': () =>
    indexOf({}, ({ links }) => {
      increment(links, 1 + 32 + 5)
    }),
  'index: too many links': () => {
    const child = { ...honestFile(), sizeBytes: CONTENT.length }
    const children = Array.from({ length: 1_025 }, () => child)
    return withRoot(indexFrame(1, children), child.blocks)
  },
}

/** Share sets that are not one codeword: every share is good by itself. */
export const forgedCodewords: Record<string, () => Forgery> = {
  'a parity share that does not belong': () => codewordOf((shards) => spoil(shards, [5])),
  'no parity share belongs': () => codewordOf((shards) => spoil(shards, [3, 4, 5, 6, 7, 8, 9])),
  'a data share that does not belong': () => codewordOf((shards) => spoil(shards, [1])),
  'no share belongs': () => codewordOf((shards) => spoil(shards, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])),
  'two files in one': () => {
    const other = fileOf({ ...honestFrame(), content: CONTENT.map((byte) => byte ^ 1) }, () => {})
    const shards = other.blocks[0]?.shards ?? []
    return codewordOf((own) => own.map((shard, index) => (index < 5 ? shard : shards[index]!)))
  },
  'something after the end': () => {
    const ciphertext = sealedOf(sectionsOf(honestFrame()))
    const extended = extend(ciphertext)
    increment(extended, code.required * shardSize(code, ciphertext.length) - 1)
    return forgery(
      shareSetOf(portableEngine, { code, ciphertextBytes: ciphertext.length }, extended),
    )
  },
}

function honestFrame(): BlockFrame {
  return { kind: 0, level: 0, links: [], content: CONTENT }
}

function fileOf(frame: BlockFrame, change: (sections: Sections) => void): Forgery {
  return withRoot(frame, [], change)
}

/** A block over `frame`, whose sections `change` may spoil, as the root over `below`. */
function withRoot(
  frame: BlockFrame,
  below: readonly ShareSet[],
  change: (sections: Sections) => void = () => {},
): Forgery {
  const sections = sectionsOf(frame)
  change(sections)
  const ciphertext = sealedOf(sections)
  const extended = extend(ciphertext)
  const root = shareSetOf(portableEngine, { code, ciphertextBytes: ciphertext.length }, extended)
  return { ...forgery(root), blocks: [root, ...below] }
}

/** An index over two data blocks. */
function indexOf(
  {
    level = 1,
    sizes = [CONTENT.length, CONTENT.length],
    spoil: change = (frame) => frame,
  }: { level?: number; sizes?: readonly number[]; spoil?: (frame: BlockFrame) => BlockFrame },
  changeSections: (sections: Sections) => void = () => {},
): Forgery {
  const child = honestFile()
  const children: FileChild[] = sizes.map((sizeBytes) => ({ ...child, sizeBytes }))
  return withRoot(change(indexFrame(level, children)), child.blocks, changeSections)
}

/** An honest block of one MiB but for what `change` does to its shards. */
function codewordOf(change: (shards: Uint8Array[]) => Uint8Array[]): Forgery {
  const honest = encodeBlock(portableEngine, {
    key: KEY,
    frame: encodeFrame(honestFrame()),
    code,
  })
  const shards = change(honest.shards.map((shard) => shard.slice()))
  const { ciphertextBytes } = decodeManifest(honest.manifest)
  const manifest = encodeManifest({ code, ciphertextBytes, roots: shards.map(merkleRoot) })
  return forgery({ id: blockIdOf(manifest), manifest, shards })
}

function forgery(root: ShareSet): Forgery {
  return { key: KEY, id: root.id, blocks: [root] }
}

function sectionsOf(frame: BlockFrame): Sections {
  const { header, links, content } = encodeFrame(frame)
  return { header: header.slice(), links: links.slice(), content: content.slice() }
}

function sealedOf({ header, links, content }: Sections): Uint8Array {
  const boxes = [
    { key: verifyKeyOf(KEY), counter: 0, plaintext: header },
    { key: verifyKeyOf(KEY), counter: 1, plaintext: links },
    { key: readKeyOf(KEY), counter: 0, plaintext: content },
  ]
  return concatBytes(
    boxes.map(({ key, counter, plaintext }) => {
      const sealed = allocateBytes(plaintext.length + AEAD_TAG_BYTES)
      seal(key, counter, plaintext, sealed)
      return sealed
    }),
  )
}

function extend(ciphertext: Uint8Array): Uint8Array {
  const extended = new Uint8Array(code.total * shardSize(code, ciphertext.length))
  extended.set(ciphertext)
  return extended
}

function linkTo({ key, id }: BlockReference): BlockFrame['links'][number] {
  return { type: 'block', id, verifyKey: verifyKeyOf(key) }
}

function cut(frame: BlockFrame, bytes: number): BlockFrame {
  return { ...frame, content: frame.content.slice(0, -bytes) }
}

function spoil(shards: Uint8Array[], indices: readonly number[]): Uint8Array[] {
  for (const index of indices) increment(shards[index]!, 3 + index)
  return shards
}

function increment(bytes: Uint8Array, at: number, by = 1): void {
  bytes[at] = (bytes[at] ?? 0) + by
}

function setU32(bytes: Uint8Array, at: number, value: number): void {
  viewOf(bytes).setUint32(at, value)
}
