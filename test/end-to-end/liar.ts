import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock, systemRandomness } from '../../src/foundation/system.ts'
import { homeFiles } from '../../src/home/layout.ts'
import { readNodeFile } from '../../src/home/node-file.ts'
import { readOwnGrid } from '../../src/home/own-grid.ts'
import { networkMembership } from '../../src/library/live-membership.ts'
import { openNetwork } from '../../src/network/open.ts'
import type { StorageService } from '../../src/protocol/network.ts'
import { openStorageNode } from '../../src/storage-node/storage-node.ts'
import { openSystemDisk } from '../../src/storage-node/system-disk.ts'
import { lyingService, SeenShares, type Lie } from '../../simulations/liars.ts'
import { SeededRandomness } from '../../simulations/randomness.ts'
import type { TestGrid } from './grid.ts'

export interface Liar extends AsyncDisposable {
  /** From now on; it is honest at first. */
  lie(lie: Lie): void
}

/** In place of a node that was stopped: its own host with an empty store and another mind. */
export async function openLiar(grid: TestGrid, name: string): Promise<Liar> {
  const home = grid.nodes.find((node) => node.name === name)?.home ?? ''
  const files = homeFiles(home)
  const own = await readOwnGrid(files, systemClock)
  const node = await readNodeFile(files.node)
  if (own === undefined || node === undefined) throw new Error('the node has a home')
  const tools = { clock: systemClock, randomness: systemRandomness }
  const disk = await openSystemDisk(join(grid.dir, 'liar'))
  const quotaBytes = node.capacityBytes
  const storage = await openStorageNode({
    disk,
    ...tools,
    capacityBytes: node.capacityBytes,
    accountOf: (caller) => ({ account: own.membership.accountOf(caller) ?? caller, quotaBytes }),
  })
  const network = await openNetwork({
    ...networkMembership(own, files),
    identity: await readFile(join(home, 'identity.key')),
    listen: node.listen,
    clock: systemClock,
  })
  const seen = new SeenShares()
  const randomness = new SeededRandomness('liar')
  let service: StorageService = storage
  network.serve({
    handle: async (caller, request, signal) => {
      seen.remember(request)
      return await service.handle(caller, request, signal)
    },
  })
  return {
    lie(lie) {
      service = lyingService(storage, { lie, randomness, seen })
    },
    async [Symbol.asyncDispose]() {
      await network[Symbol.asyncDispose]()
      await storage[Symbol.asyncDispose]()
    },
  }
}
