import type { NodeKey } from '../../protocol/node-key.ts'

/**
 * Picks a node for as many shares as possible, each node for one share only: a maximum matching of shares and the nodes
 * that hold them, by augmenting paths (H. W. Kuhn, "The Hungarian method for the assignment problem", 1955). What two
 * shares on one node are worth when that node goes away is one share.
 * @returns share index → node
 */
export function spreadOverNodes(
  holdings: readonly { readonly index: number; readonly node: NodeKey }[],
): Map<number, NodeKey> {
  const nodesOf = new Map<number, NodeKey[]>()
  for (const { index, node } of holdings) {
    nodesOf.set(index, [...(nodesOf.get(index) ?? []), node])
  }
  const shareOn = new Map<NodeKey, number>()
  const assign = (index: number, tried: Set<NodeKey>): boolean => {
    for (const node of nodesOf.get(index) ?? []) {
      if (tried.has(node)) continue
      tried.add(node)
      const other = shareOn.get(node)
      // The node is free, or its share can move to another that holds it too.
      if (other === undefined || assign(other, tried)) {
        shareOn.set(node, index)
        return true
      }
    }
    return false
  }
  for (const index of nodesOf.keys()) assign(index, new Set())
  return new Map([...shareOn].map(([node, index]) => [index, node]))
}
