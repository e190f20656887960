/** Which bytes of a file are wanted. */
export type RequestedRange =
  | { readonly kind: 'all' }
  | { readonly kind: 'part'; readonly offset: number; readonly length: number }
  | { readonly kind: 'unsatisfiable' }

const ALL: RequestedRange = { kind: 'all' }

/**
 * `Range` of RFC 9110 §14: one range of bytes. Several, and what is no range, get all of the file, as a server may answer.
 * @param etag - what the file's is; a range that `If-Range` wants of another version gets all of this one
 */
export function requestedRange(
  { range, ifRange }: { readonly range: string | undefined; readonly ifRange: string | undefined },
  { sizeBytes, etag }: { readonly sizeBytes: number; readonly etag: string },
): RequestedRange {
  if (range === undefined || (ifRange !== undefined && ifRange !== etag)) return ALL
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range) ?? []
  if (first === undefined || last === undefined || first + last === '') return ALL
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes)
    return length === 0
      ? { kind: 'unsatisfiable' }
      : { kind: 'part', offset: sizeBytes - length, length }
  }
  const offset = Number(first)
  const end = last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes)
  if (last !== '' && Number(last) < offset) return ALL
  return offset >= sizeBytes
    ? { kind: 'unsatisfiable' }
    : { kind: 'part', offset, length: end - offset }
}

/** Whether a list of entity tags, or `*`, has a tag. Undefined: nothing is there. */
export function hasTag(list: string, etag: string | undefined): boolean {
  if (etag === undefined) return false
  if (list.trim() === '*') return true
  return list.split(',').some((each) => each.trim().replace(/^W\//, '') === etag)
}
