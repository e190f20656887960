import { systemRandomness } from '../../foundation/system.ts'
import type { Membership } from '../../protocol/membership/membership.ts'
import { storageDevices } from '../doctor/storage-devices.ts'
import type { GridNetwork } from '../../network/open.ts'
import type { NodeKey } from '../../protocol/node-key.ts'
import type { StorageNode } from '../../storage-node/storage-node.ts'
import type { NodeCareState } from './care.ts'
import type { Drainer } from './drainer.ts'
import type { OperatorHandler } from './operator-server.ts'
import { exportTo, importFrom } from './parcels.ts'
import type { NodeReport } from './report.ts'
import type { NodeSettings } from './settings.ts'

/** A node at work, as its operator's orders find it. */
export interface RunningNode {
  readonly storage: StorageNode
  readonly network: Pick<GridNetwork, 'connected' | 'traffic' | 'diagnose'>
  readonly membership: Membership
  readonly settings: NodeSettings
  readonly drainer: Drainer
  readonly careState: NodeCareState
  readonly self: NodeKey
  /** By the calendar, in milliseconds. */
  readonly startedMs: number
}

/** What a running node does on its operator's orders. */
export function operatorOf(node: RunningNode): OperatorHandler {
  return async (request, { emit, signal }) => {
    switch (request.op) {
      case 'status':
        return await reportOf(node)
      case 'doctor':
        return await node.network.diagnose(storageDevices(node.membership), {
          randomness: systemRandomness,
          signal,
        })
      case 'scrub':
        return await node.storage.scrub()
      case 'collect':
        return await node.storage.collect()
      case 'drain':
        return await node.drainer.nextPass(emit, signal)
      case 'export':
        return await exportTo(node, request, { onProgress: emit, signal })
      case 'import':
        return await importFrom(node, request.dir, { onProgress: emit, signal })
    }
  }
}

async function reportOf({
  storage,
  network,
  settings,
  careState,
  startedMs,
}: RunningNode): Promise<NodeReport> {
  const { capacityBytes, draining = false } = settings.current
  return {
    ...(await storage.status()),
    offeredBytes: capacityBytes,
    draining,
    startedMs,
    care: careState,
    connected: network.connected().length,
    traffic: network.traffic(),
  }
}
