import type { NodeKey } from '../protocol/node-key.ts'

/** A storage node as placement sees it. */
export interface StorageNodeInfo {
  readonly key: NodeKey
  readonly name: string
  /** The household that would lose its nodes together: one roof, one router, one power line. */
  readonly zone: string
  /** What the node offers to the grid, in bytes: its weight. */
  readonly capacityBytes: number
}

/** The grid as one member knows it. */
export interface GridView {
  /** 32 bytes. */
  readonly gridId: Uint8Array
  /** Another array whenever they have changed. */
  readonly nodes: readonly StorageNodeInfo[]
}

/** Households among the nodes. */
export function zonesOf(nodes: readonly Pick<StorageNodeInfo, 'zone'>[]): number {
  return new Set(nodes.map(({ zone }) => zone)).size
}
