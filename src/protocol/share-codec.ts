import { blockId, BLOCK_ID_BYTES, type BlockId } from './block-id.ts'
import { arrayField, bytesField, checkBytes, integerField } from './cbor.ts'
import { MalformedMessageError, type Fields } from './cbor.ts'
import { indexField, MAX_MANIFEST_BYTES, MAX_PROOF_BYTES, requireNoBody } from './codec-parts.ts'
import { MAX_AUDIT_LEAVES, MAX_BODY_BYTES, MAX_IDS, MAX_SHARES } from './limits.ts'
import type { AuditReply, GetReply, GetRequest, HoldingsReply, LeafName } from './messages.ts'

/** Far more leaves than a shard can have. */
const MAX_LEAF = 2 ** 16

/** @throws MalformedMessageError */
export function decodeGet(fields: Fields): GetRequest {
  const id = blockId(bytesField(fields, 1, { min: BLOCK_ID_BYTES, max: BLOCK_ID_BYTES }))
  return {
    op: 'get',
    id,
    ...(fields.has(2) && { index: indexField(fields, 2) }),
    ...((fields.has(3) || fields.has(4)) && {
      leaves: {
        first: integerField(fields, 3, { max: MAX_LEAF }),
        count: integerField(fields, 4, { min: 1, max: MAX_LEAF }),
      },
    }),
  }
}

/** @throws MalformedMessageError */
export function decodeLeafName(value: unknown): LeafName {
  if (!Array.isArray(value) || value.length !== 3)
    throw new MalformedMessageError('A leaf has three parts.')
  const [id, index, leaf] = value as [unknown, unknown, unknown]
  const numbers: Fields = new Map([
    [1, index],
    [2, leaf],
  ])
  return {
    id: idOf(id),
    index: indexField(numbers, 1),
    leaf: integerField(numbers, 2, { max: MAX_LEAF }),
  }
}

function idOf(value: unknown): BlockId {
  return blockId(checkBytes(value, 'An id', { min: BLOCK_ID_BYTES, max: BLOCK_ID_BYTES }))
}

/** @throws MalformedMessageError */
export function decodeGetReply(fields: Fields, body: Uint8Array): GetReply {
  if (!fields.has(1)) {
    requireNoBody(body)
    return { op: 'get' }
  }
  return {
    op: 'get',
    share: {
      manifest: bytesField(fields, 1, { min: 1, max: MAX_MANIFEST_BYTES }),
      index: indexField(fields, 2),
      held: bytesField(fields, 3, { max: MAX_SHARES / 8 + 1 }),
      proof: bytesField(fields, 4, { max: MAX_PROOF_BYTES }),
      bytes: checkBytes(body, 'The share', { min: 1, max: MAX_BODY_BYTES }),
    },
  }
}

/** @throws MalformedMessageError */
export function decodeHoldings<O extends 'have' | 'lease'>(
  op: O,
  fields: Fields,
): HoldingsReply<O> {
  const holdings = arrayField(fields, 1, { max: MAX_IDS }).map((bitmap) =>
    checkBytes(bitmap, 'A bitmap', { max: 32 }),
  )
  return { op, holdings }
}

/** Fields and body: of each leaf its length, its proof and the length of its manifest; then the bytes of all. */
export function auditReplyParts({ proofs }: AuditReply): [unknown[], Uint8Array[]] {
  const fields = proofs.map((leaf) => {
    if (leaf === undefined) return null
    const { bytes, proof, manifest } = leaf
    return [bytes.length, proof, ...(manifest === undefined ? [] : [manifest.length])]
  })
  const body = proofs.flatMap((leaf) => (leaf === undefined ? [] : [leaf.bytes, leaf.manifest]))
  return [[fields], body.filter((part) => part !== undefined)]
}

/** @throws MalformedMessageError */
export function decodeAuditReply(fields: Fields, body: Uint8Array): AuditReply {
  let offset = 0
  const take = (length: unknown, max: number): Uint8Array => {
    const bytes = integerField(new Map([[1, length]]), 1, { max })
    return body.subarray(offset, (offset += bytes))
  }
  const proofs = arrayField(fields, 1, { max: MAX_AUDIT_LEAVES }).map((item) => {
    if (item === null) return undefined
    if (!Array.isArray(item)) throw new MalformedMessageError('A leaf proof is an array.')
    const [length, proof, manifestLength] = item as unknown[]
    return {
      bytes: take(length, MAX_BODY_BYTES),
      proof: checkBytes(proof, 'A proof', { max: MAX_PROOF_BYTES }),
      manifest: manifestLength === undefined ? undefined : take(manifestLength, MAX_MANIFEST_BYTES),
    }
  })
  if (offset !== body.length) throw new MalformedMessageError('The leaves do not fill the body.')
  return { op: 'audit', proofs }
}
