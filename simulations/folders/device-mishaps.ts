import type { SlotKey } from '../../src/protocol/slot-key.ts'
import type { SeededRandomness } from '../randomness.ts'
import type { World } from '../world.ts'
import type { SimulatedDevice } from './device.ts'
import { ownNodesOf } from './own-nodes.ts'
import type { FolderPlan } from './plan.ts'

/** Lets one of a plan's mishaps befall a device, now and then. */
export async function befall(
  device: SimulatedDevice,
  randomness: SeededRandomness,
  options: {
    world: World
    plan: Pick<FolderPlan, 'deviceMishaps' | 'lines'>
    /** Of the folder that all work in. */
    slot: SlotKey
    /** Asked later, whether the weather has cleared meanwhile. */
    isCalm: () => boolean
  },
): Promise<void> {
  const { world, plan, slot, isCalm } = options
  const { deviceMishaps, lines } = plan
  if (deviceMishaps.length === 0 || !device.isRunning) return
  if (randomness.chance(0.3)) device.disk.backUp()
  if (!randomness.chance(0.35)) return
  const mishap = randomness.pick(deviceMishaps)
  const { network, clock, nodes } = world
  network.note(`! ${device.name}: ${mishap}`)
  switch (mishap) {
    case 'crash':
      // In the middle of what it does next.
      clock.after(randomness.below(CRASH_WITHIN_MS), () => {
        if (device.isRunning && !isCalm()) device.crash()
      })
      return
    case 'restart':
      if (lines > 1) device.crash()
      else await device.stop()
      return
    case 'restore backup':
      device.restoreBackup()
      return
    case 'cut off':
      network.partition([device.key])
      break
    case 'split the grid': {
      const side = randomness.sample(nodes, randomness.below(nodes.length + 1))
      network.partition([device.key, ...side.map(({ key }) => key)])
      break
    }
    case 'own nodes away':
      network.partition(ownNodesOf(world.view, slot).someAway(randomness))
  }
  clock.after(randomness.pick([500, 5_000, 60_000]), () => {
    network.heal()
  })
}

const CRASH_WITHIN_MS = 400
