import { erasureCode, type ErasureCode } from '../../erasure/code.ts'
import { zonesOf, type StorageNodeInfo } from '../view.ts'

/** k-of-n for a grid of this many households, unless the user asks for another. */
export function defaultCode(nodes: readonly Pick<StorageNodeInfo, 'zone'>[]): ErasureCode {
  const zones = zonesOf(nodes)
  if (zones >= 10) return erasureCode(3, 10)
  if (zones >= 7) return erasureCode(3, 7)
  if (zones >= 5) return erasureCode(2, 5)
  if (zones >= 3) return erasureCode(2, zones)
  // One or two households: copies, on two nodes where there are two.
  return erasureCode(1, Math.max(1, Math.min(2, nodes.length)))
}

/**
 * Shares on distinct nodes from which on a block counts as stored, and below which it wants repair: k and half of the
 * margin above it. 3-of-10 asks for 7.
 */
export function happinessThreshold({ required, total }: ErasureCode): number {
  return required + Math.ceil((total - required) / 2)
}
