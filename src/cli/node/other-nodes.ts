import { Ranking } from '../../grid/placement/rank.ts'
import type { GridView, StorageNodeInfo } from '../../grid/view.ts'
import { viewOfGrid } from '../../home/grid-file.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { DestinationsOptions } from '../../storage-node/drain/destinations.ts'

/** The grid's other storage nodes in the order of placement, as clients ask them when this one is gone. Follows members. */
export function otherNodes(membership: Membership, self: NodeKey): DestinationsOptions['order'] {
  const ranking = new Ranking(viewWithout(viewOfGrid(membership), self))
  return (id, total) => ranking.order(id, total)
}

/** Its nodes are the same array for as long as those of the whole view are. */
function viewWithout(view: GridView, self: NodeKey): GridView {
  let all: readonly StorageNodeInfo[] = []
  let others: readonly StorageNodeInfo[] = []
  return {
    gridId: view.gridId,
    get nodes() {
      const { nodes } = view
      if (nodes !== all) {
        all = nodes
        others = nodes.filter(({ key }) => key !== self)
      }
      return others
    },
  }
}
