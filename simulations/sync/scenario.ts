import { parentOf, type PathText } from '../../src/gateway/sync/trees.ts'
import { SeededRandomness } from '../randomness.ts'
import { Crash, SyncingDevice, Violation, type Between } from './device.ts'
import { SharedFolder } from './folder.ts'

export interface SyncResult {
  readonly seed: number
  /** Sentences; empty if every promise was kept. */
  readonly violations: readonly string[]
  readonly story: readonly string[]
  readonly conflicts: number
}

/**
 * Some devices keep a directory each in step with one folder, while their users write, move and remove, devices see the
 * others' states late, are disturbed between any two steps, and crash. In the end all directories must be equal; whatever
 * nobody replaced or removed who had it must be there; and where devices took turns, there must be no conflict copy and
 * exactly what the last user left.
 */
export async function playSync(seed: number): Promise<SyncResult> {
  const play = new Play(seed, await SharedFolder.create())
  try {
    await play.run()
  } catch (error) {
    if (!(error instanceof Violation)) throw error
    return { ...play.result, violations: [error.message] }
  }
  return play.result
}

const NAMES = ['a', 'b', 'c.txt', 'd']
const DEVICES = ['Ann', 'Ben', 'Cleo']
/** In one of so many, directories are moved. */
const MOVING_SEEDS = 5
const FIRST_MS = Date.UTC(2026, 0, 1)
/** Rounds in which every device syncs, until nothing changes; far more than any needs. */
const MAX_FINAL_ROUNDS = 30

class Play {
  readonly #seed: number
  readonly #randomness: SeededRandomness
  readonly #folder: SharedFolder
  readonly #devices: readonly SyncingDevice[]
  readonly #story: string[] = []
  /** Contents that nobody who had them gave up. */
  readonly #kept = new Set<string>()
  readonly #isSequential: boolean
  /** Users move directories more than anything else. */
  readonly #isMoving: boolean
  #written = 0
  #nowMs = FIRST_MS
  #conflicts = 0

  constructor(seed: number, folder: SharedFolder) {
    this.#seed = seed
    this.#randomness = new SeededRandomness(`sync/${seed}`)
    this.#folder = folder
    const names = DEVICES.slice(0, this.#randomness.between(2, DEVICES.length))
    this.#devices = names.map((name) => new SyncingDevice(name, folder))
    this.#isSequential = this.#randomness.chance(0.25)
    this.#isMoving = seed % MOVING_SEEDS === 0
  }

  get result(): SyncResult {
    const [seed, story, conflicts] = [this.#seed, this.#story, this.#conflicts]
    return { seed, violations: [], story, conflicts }
  }

  async run(): Promise<void> {
    if (this.#isMoving) await this.#shareDirectories()
    const steps = this.#randomness.between(3, 14)
    for (let step = 0; step < steps; step++) {
      const device = this.#randomness.pick(this.#devices)
      if (this.#isSequential) await this.#takeTurn(device)
      else if (this.#randomness.chance(0.55)) this.#use(device)
      else await this.#syncDisturbed(device)
    }
    await this.#settle()
    this.#judge()
  }

  /** One who is in sync acts and syncs; the others come after that, or crash and are away until they act or all is over. */
  async #takeTurn(device: SyncingDevice): Promise<void> {
    await this.#settle([device])
    const count = this.#randomness.between(1, 3)
    for (let action = 0; action < count; action++) this.#use(device)
    await this.#settle([device])
    for (const other of this.#devices) {
      if (other === device || this.#randomness.chance(0.2)) continue
      const canCrash = this.#randomness.chance(0.4)
      await this.#sync(other, () => {
        if (canCrash && this.#randomness.chance(0.2)) throw new Crash()
      })
    }
  }

  async #syncDisturbed(device: SyncingDevice): Promise<void> {
    const canCrash = this.#randomness.chance(0.3)
    await this.#sync(device, () => {
      if (this.#randomness.chance(0.1)) this.#use(device)
      if (canCrash && this.#randomness.chance(0.1)) throw new Crash()
    })
  }

  async #sync(device: SyncingDevice, between: Between): Promise<void> {
    const { name } = device
    device.arriving = this.#isSequential || this.#randomness.chance(0.5)
    if (this.#isSequential || this.#randomness.chance(0.7)) device.heads = this.#seen(device)
    try {
      const isDone = await device.sync(between)
      this.#story.push(`${name} syncs${isDone ? '' : ' without an end'}`)
      this.#require(isDone, `${name} never comes to rest`)
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      this.#story.push(`${name} crashes`)
    }
  }

  async #settle(order: readonly SyncingDevice[] = this.#devices): Promise<void> {
    let before = ''
    for (let round = 0; round < MAX_FINAL_ROUNDS; round++) {
      for (const device of order) {
        device.heads = this.#seen(device)
        this.#require(await device.sync(() => undefined), `${device.name} never comes to rest`)
      }
      const now = this.#devices.map(listing).join('\n--\n')
      if (now === before) return
      before = now
    }
    throw new Violation('The devices never come to rest.')
  }

  /** Own states are never unseen. */
  #seen(device: SyncingDevice): SyncingDevice['heads'] {
    return [...new Set([...device.heads, ...this.#folder.heads])]
  }

  #judge(): void {
    const [first, ...others] = this.#devices.map(listing)
    for (const other of others) {
      this.#require(other === first, `directories differ:\n${first}\n--\n${other}`)
    }
    const [device] = this.#devices
    const texts = device?.disk.texts ?? new Set()
    for (const text of this.#kept) this.#require(texts.has(text), `"${text}" is lost`)
    const conflicts = [...(device?.disk.nodes.keys() ?? [])].filter((path) =>
      path.includes('(conflict'),
    )
    this.#conflicts += conflicts.length
    if (!this.#isSequential) return
    this.#require(conflicts.length === 0, `a conflict without any: ${conflicts.join(', ')}`)
    for (const text of texts) this.#require(this.#kept.has(text), `"${text}" is back`)
  }

  #require(holds: boolean, otherwise: string): void {
    if (!holds) throw new Violation(otherwise)
  }

  /** One thing that a user does, if it can be done. */
  #use(device: SyncingDevice): void {
    const { nodes } = device.disk
    const path = this.#path(device)
    const before = device.disk.texts
    const node = nodes.get(path)
    const what = this.#randomness.below(10)
    const directory = this.#isMoving && what < 4 ? this.#directory(device) : undefined
    if (directory !== undefined) {
      if (!this.#move(device, directory)) return
    } else if (what < 5) {
      if (node?.kind === 'directory' || !makePlace(device, path)) return
      this.#write(device, path)
    } else if (what < 6) {
      if (!device.disk.hasPlaceFor(path) || node !== undefined) return
      nodes.set(path, { kind: 'directory' })
      this.#story.push(`${device.name}: mkdir ${path}`)
    } else if (what < 8) {
      if (node === undefined) return
      for (const other of [path, ...device.disk.below(path)]) nodes.delete(other)
      this.#story.push(`${device.name}: rm ${path}`)
    } else if (!this.#move(device, path)) return
    for (const text of before) if (!device.disk.texts.has(text)) this.#kept.delete(text)
  }

  #write(device: SyncingDevice, path: PathText): void {
    // Some devices' clocks stand still, so that times tie.
    if (this.#randomness.chance(0.7)) this.#nowMs += this.#randomness.between(1, 90_000)
    const text = `${++this.#written} by ${device.name} at ${this.#nowMs}`
    device.disk.nodes.set(path, { kind: 'file', text, mtimeMs: this.#nowMs })
    this.#kept.add(text)
    this.#story.push(`${device.name}: write ${path}: ${text}`)
  }

  /** So that there is something to move. */
  async #shareDirectories(): Promise<void> {
    const [device] = this.#devices
    if (device === undefined) return
    for (const name of ['a', 'b', 'c.txt', 'd/a', 'd/b', 'd/d/c.txt']) {
      const path = `d/${name}` as PathText
      makePlace(device, path)
      this.#write(device, path)
    }
    await this.#settle()
  }

  #directory(device: SyncingDevice): PathText | undefined {
    const directories = [...device.disk.nodes].filter(([, { kind }]) => kind === 'directory')
    return directories.length === 0 ? undefined : this.#randomness.pick(directories)[0]
  }

  #move(device: SyncingDevice, from: PathText): boolean {
    const { disk } = device
    const to = this.#path(device)
    const isFree = disk.hasPlaceFor(to) && !disk.nodes.has(to)
    if (!disk.nodes.has(from) || !isFree || to.startsWith(`${from}/`)) return false
    disk.move(from, to)
    this.#story.push(`${device.name}: mv ${from} ${to}`)
    return true
  }

  /** Often one that is there, a conflict copy for instance; else one of few, so that users meet. */
  #path(device: SyncingDevice): PathText {
    const there = [...device.disk.nodes.keys()]
    const copies = there.filter((path) => path.includes('(conflict'))
    if (copies.length > 0 && this.#randomness.chance(0.4)) return this.#randomness.pick(copies)
    if (there.length > 0 && this.#randomness.chance(0.4)) return this.#randomness.pick(there)
    const depth = this.#randomness.pick([1, 1, 1, 2, 2, 3])
    const names = Array.from({ length: depth }, () => this.#randomness.pick(NAMES))
    return names.join('/') as PathText
  }
}

/** The directories on the way, unless a file is. */
function makePlace({ disk }: Pick<SyncingDevice, 'disk'>, path: PathText): boolean {
  const parent = parentOf(path)
  if (parent === undefined || disk.nodes.get(parent)?.kind === 'directory') return true
  if (disk.nodes.has(parent) || !makePlace({ disk }, parent)) return false
  disk.nodes.set(parent, { kind: 'directory' })
  return true
}

function listing({ disk }: SyncingDevice): string {
  const lines = [...disk.nodes].map(([path, node]) =>
    node.kind === 'file' ? `${path}: ${node.text}` : `${path}/`,
  )
  return lines.sort().join('\n')
}
