import { CODE, type Cost, type PrimitiveName, type Primitives } from './primitives.ts'

/** Bytes that an operation must put through each primitive, whatever the program around it looks like. */
export type Workload = Partial<Record<PrimitiveName, number>>

/** Shares of a block take this many times its size. */
const EXPANSION = CODE.total / CODE.required

/** Client: key from the content, sealing, coding, Merkle roots of all shares. Nodes: the same roots again, then disk. */
export function putWorkload(bytes: number): Workload {
  const shareBytes = bytes * EXPANSION
  return {
    sha256: bytes + 2 * shareBytes,
    aead: bytes,
    encode: bytes,
    tcp: shareBytes,
    durable: shareBytes,
  }
}

/** The keys of the blocks; their ids are remembered by the client that stored them. */
export function unchangedPutWorkload(bytes: number): Workload {
  return { sha256: bytes }
}

/** Three shares are fetched and checked, two more rebuilt and checked; the file is written once. */
export function getWorkload(bytes: number): Workload {
  return { ...readWorkload(bytes), durable: bytes }
}

/** A GET that leaves nothing on disk. */
export function readWorkload(bytes: number): Workload {
  return { sha256: bytes * (5 / 3), aead: bytes, decode: bytes, tcp: bytes }
}

/** Three shares are fetched and checked, the lost ones rebuilt, checked, sent, checked again and written; the others sampled. */
export function repairWorkload(bytes: number, sharesLost: number): Workload {
  const lostBytes = (bytes * sharesLost) / CODE.required
  return {
    sha256: bytes + 2 * lostBytes,
    rebuild: bytes,
    tcp: bytes + lostBytes,
    durable: lostBytes,
  }
}

/** The primitives of a workload one after another, nothing at the same time and nothing in between. */
export function costOfWorkload(workload: Workload, primitives: Primitives): Cost {
  let wallS = 0
  let cpuS = 0
  for (const [name, bytes] of Object.entries(workload) as [PrimitiveName, number][]) {
    wallS += primitives[name].wallS * bytes
    cpuS += primitives[name].cpuS * bytes
  }
  return { wallS, cpuS }
}
