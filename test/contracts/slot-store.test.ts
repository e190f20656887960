import { SeededRandomness } from '../../simulations/randomness.ts'
import { SimulatedDrive } from '../../simulations/disk.ts'
import { openSystemDisk } from '../../src/storage-node/system-disk.ts'
import { HandClock } from '../support/storage-nodes.ts'
import { temporaryFolder } from '../support/temporary.ts'
import { slotStoreContract } from './slot-store.ts'

slotStoreContract('level', async () => {
  const home = await temporaryFolder()
  return { open: () => openSystemDisk(home) }
})

slotStoreContract('a simulated drive', async () => {
  const drive = new SimulatedDrive({ clock: new HandClock(), randomness: new SeededRandomness(1) })
  return { open: async () => drive.open() }
})
