import { mkdir, readdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '../../foundation/bytes.ts'
import { sleep, type Clock } from '../../foundation/clock.ts'
import { systemCodeOf } from '../../foundation/error.ts'
import type { Randomness } from '../../foundation/randomness.ts'
import { describingFailures } from '../../foundation/system-failure.ts'
import { makePrivateDirectory } from '../files.ts'
import { processBirth, processExists } from '../processes.ts'

/**
 * A directory that one process at a time has for itself. Several commands may run in a home at once, and each of them
 * writes slots under tags of its own lane: so no number is ever given to two writes, and a home needs no more tags than
 * it has commands at work at the same time.
 *
 * The name of the directory says who holds it, `free-LANE` or `held-LANE-PID-BIRTH`, and only a rename changes that. Of
 * several that want a lane, or the lane of a process that died, the system lets one succeed.
 */
export interface Lane extends AsyncDisposable {
  readonly directory: string
}

export interface LaneOptions {
  readonly clock: Clock
  readonly randomness: Randomness
  readonly signal?: AbortSignal | undefined
}

/** Takes a lane that nobody holds, or makes one; waits while there are {@link MAX_LANES} and all are held. */
export async function takeLane(parent: string, options: LaneOptions): Promise<Lane> {
  const { clock, signal } = options
  await makePrivateDirectory(parent)
  const holder = `${process.pid}-${await birthText(process.pid)}`
  return await describingFailures(`The directory ${parent}`, async () => {
    for (;;) {
      signal?.throwIfAborted()
      const found = await lanesIn(parent)
      for (const lane of found) {
        if (!(await isFree(lane))) continue
        const taken = await tryRename(parent, lane.directory, heldName(lane.id, holder))
        if (taken !== undefined) return new HeldLane(parent, lane.id, taken)
      }
      if (found.length < MAX_LANES) {
        const id = toHex(options.randomness.bytes(ID_BYTES))
        const directory = heldName(id, holder)
        await mkdir(join(parent, directory), { mode: 0o700 })
        return new HeldLane(parent, id, directory)
      }
      await sleep(clock, POLL_MS, signal)
    }
  })
}

/** The directories of all lanes but one, whoever holds them. */
export async function otherLanes(parent: string, own: Lane): Promise<string[]> {
  const lanes = await lanesIn(parent)
  return lanes.map(({ directory }) => join(parent, directory)).filter((at) => at !== own.directory)
}

/** Those among them that no living process holds. */
export async function abandonedLanes(parent: string, own: Lane): Promise<string[]> {
  const abandoned: string[] = []
  for (const lane of await lanesIn(parent)) {
    const at = join(parent, lane.directory)
    if (at !== own.directory && (await isFree(lane))) abandoned.push(at)
  }
  return abandoned
}

class HeldLane implements Lane {
  readonly directory: string
  readonly #parent: string
  readonly #id: string
  readonly #name: string

  constructor(parent: string, id: string, name: string) {
    this.#parent = parent
    this.#id = id
    this.#name = name
    this.directory = join(parent, name)
  }

  /** That it cannot be given back (a disk that went away) costs nothing: its holder will be found dead. */
  async [Symbol.asyncDispose](): Promise<void> {
    await tryRename(this.#parent, this.#name, `free-${this.#id}`).catch(() => undefined)
  }
}

/** Commands at work in one home at once; each may take one of the 64 tags that a slot's clock has room for. */
export const MAX_LANES = 16
const ID_BYTES = 6
const POLL_MS = 50

interface FoundLane {
  readonly id: string
  readonly directory: string
  readonly holder?: { readonly pid: number; readonly birth: string } | undefined
}

/** In the order of their ids, so that commands which follow each other use the same one. */
async function lanesIn(parent: string): Promise<FoundLane[]> {
  const lanes = (await readdir(parent)).flatMap((directory): FoundLane[] => {
    const [, id, pid, birth] = NAME.exec(directory) ?? []
    if (id === undefined) return []
    if (pid === undefined || birth === undefined) return [{ id, directory }]
    return [{ id, directory, holder: { pid: Number(pid), birth } }]
  })
  return lanes.sort((a, b) => (a.id < b.id ? -1 : 1))
}

const NAME = /^(?:free|held)-([0-9a-f]{12})(?:-(\d+)-([0-9a-zA-Z]*))?$/

function heldName(id: string, holder: string): string {
  return `held-${id}-${holder}`
}

async function isFree({ holder }: FoundLane): Promise<boolean> {
  if (holder === undefined) return true
  // Where the system does not tell births, a process of that number is taken for the holder.
  if (holder.birth === '') return !processExists(holder.pid)
  return (await birthText(holder.pid)) !== holder.birth
}

/** The birth of a process as a part of a file's name: of a text that may hold anything, its letters and digits. */
async function birthText(pid: number): Promise<string> {
  const birth = await processBirth(pid)
  return birth === undefined ? '' : birth.replaceAll(/[^0-9a-zA-Z]/g, '')
}

/** @returns the new name; undefined if somebody else was faster */
async function tryRename(parent: string, from: string, to: string): Promise<string | undefined> {
  try {
    await rename(join(parent, from), join(parent, to))
    return to
  } catch (thrown) {
    if (systemCodeOf(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}
