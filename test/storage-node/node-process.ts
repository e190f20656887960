/**
 * A storage node as a process of its own, to be killed: `node-process.ts <home>`. It puts, as fast as it can, blocks
 * and records that follow from the numbers it is sent, and says which were acknowledged.
 */
import { systemClock, systemRandomness } from '../../src/foundation/system.ts'
import { nodeKey } from '../../src/protocol/node-key.ts'
import { openStorageNode } from '../../src/storage-node/storage-node.ts'
import { openSystemDisk } from '../../src/storage-node/system-disk.ts'
import { loadBlock, loadRecord } from './load.ts'

const CONCURRENCY = 24
const caller = nodeKey('a1'.repeat(32))

const node = await openStorageNode({
  disk: await openSystemDisk(process.argv[2]!),
  clock: systemClock,
  randomness: systemRandomness,
  capacityBytes: 2 ** 40,
  reserveBytes: 0,
  accountOf: () => ({ account: 'alice', quotaBytes: 2 ** 40 }),
})
node.startMaintenance()

process.on('message', ({ first }: { first: number }) => {
  let next = first
  const work = async (): Promise<void> => {
    for (;;) {
      const seed = next++
      const { id, manifest, shards } = loadBlock(seed)
      const shard = shards[0]!
      const reply = await node.handle(caller, {
        op: 'put',
        manifest,
        index: 0,
        leaseS: 9999,
        shard,
      })
      if (reply.op !== 'put' || reply.outcome !== 'stored') process.send!({ failed: reply })
      else process.send!({ acknowledged: seed })
      if (seed % 5 === 0) {
        const record = loadRecord(seed)
        const written = await node.handle(caller, { op: 'slot-put', record, leaseS: 9999 })
        // One that comes late finds that the same device has written since.
        if (written.op === 'slot-put' && ['stored', 'stale'].includes(written.outcome)) {
          process.send!({ written: seed })
        } else process.send!({ failed: written })
      }
      // Some leases end, and some shares are collected, so that a kill may hit those too.
      if (seed % 7 === 3) {
        process.send!({ dropping: seed })
        await node.handle(caller, { op: 'drop', ids: [id] })
        if (seed % 3 === 0) await node.collect().catch(() => undefined)
      }
    }
  }
  for (let i = 0; i < CONCURRENCY; i++) void work()
})
process.send!({ ready: true })
