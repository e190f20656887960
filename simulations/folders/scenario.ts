import { loadErasureEngine } from '../../src/erasure/engines.ts'
import { SeededRandomness } from '../randomness.ts'
import type { ScenarioResult } from '../scenario.ts'
import { StuckError } from '../clock.ts'
import { Trace } from '../trace.ts'
import { Weather } from '../weather.ts'
import { World } from '../world.ts'
import { SimulatedDevice } from './device.ts'
import { FolderJudges } from './judge.ts'
import { observeSlots } from './observer.ts'
import { drawFolderPlan, drawSlotLie, type FolderPlan } from './plan.ts'
import { Stage } from './stage.ts'

/**
 * Plays one seed of several devices that change one folder over nodes which come, go and lie. Every state that a device
 * reads, and every state that it bases a change on, is compared with the causal oracle. In the end the weather clears:
 * then all devices must agree, and have everything that was promised.
 */
export async function playFolders(
  seed: number,
  options: { readonly print?: (line: string) => void } = {},
): Promise<ScenarioResult> {
  const randomness = new SeededRandomness(`folders/${seed}`)
  const plan = drawFolderPlan(randomness.fork('plan'))
  const trace = new Trace(options.print)
  trace.note(0, JSON.stringify(plan))
  const { clock, world, stage } = await setStage(seed, plan, { randomness, trace })
  const violations: string[] = []
  try {
    await play(world, plan, { stage, randomness })
  } catch (error) {
    if (error instanceof StuckError) violations.push(`hangs: ${error.message}`)
    else violations.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  violations.push(...stage.violations, ...world.bugs)
  const virtualMs = clock.monotonicMs()
  for (const violation of violations) trace.note(virtualMs, `VIOLATION ${violation}`)
  if (stage.outcomes.has('conflict seen')) stage.outcomes.set('seeds with conflicts', 1)
  return { seed, violations, digest: trace.digest(), virtualMs, outcomes: stage.outcomes }
}

async function setStage(
  seed: number,
  plan: FolderPlan,
  { randomness, trace }: { randomness: SeededRandomness; trace: Trace },
): Promise<{ clock: World['clock']; world: World; stage: Stage }> {
  const { nodes, zones, link, drive, capacityBytes } = plan
  // One more than work in the folder: a newcomer without memory.
  const clients = plan.devices + 1
  const world = await World.open({
    seed: `folders/${seed}`,
    nodes,
    zones,
    clients,
    link,
    drive,
    capacityBytes,
    trace,
  })
  const judges = new FolderJudges()
  const erasure = loadErasureEngine()
  const devices = world.clients.map(
    (client, at) =>
      new SimulatedDevice({
        name: DEVICE_NAMES[at] ?? '',
        world,
        client,
        randomness: randomness.fork(`device ${at}`),
        erasure,
        observe: (slots) => observeSlots(slots, judges),
        diskFailureChance: plan.diskFailureChance,
      }),
  )
  const stage = new Stage({ world, plan, judges, devices, randomness: randomness.fork('stage') })
  return { clock: world.clock, world, stage }
}

async function play(
  world: World,
  plan: FolderPlan,
  { stage, randomness }: { stage: Stage; randomness: SeededRandomness },
): Promise<void> {
  const unreliable = world.nodes.slice(0, plan.unreliable)
  const weather = new Weather(world, plan, randomness.fork('weather'), {
    unreliable,
    drawLie: drawSlotLie,
  })
  await world.run(async () => {
    await stage.open()
    plan.liars.forEach((lie, at) => {
      world.nodes[at]?.lie(lie)
    })
    weather.start()
    if (plan.isSequential) await stage.playInTurn()
    else await stage.playAtOnce()
    await weather.clear()
    await stage.calm()
    if (plan.writesElsewhere) await stage.writeElsewhere()
  }, Infinity)
  await world.clock.advance(TOP_UP_MS)
  await world.run(async () => {
    stage.endWatching()
    if (!plan.isScarce) await stage.welcome()
    await stage.agree()
    if (plan.rollsBack) await stage.rollBack()
    await stage.end()
  }, Infinity)
}

const DEVICE_NAMES = ['Ada', 'Bob', 'Cy', 'Dee', 'Eve']
/** Longer than it takes until a device tries again to bring a state to more nodes. */
const TOP_UP_MS = 25 * 60_000
