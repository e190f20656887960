import type {
  FolderWriteCapability,
  SnapshotReadCapability,
} from '../../src/capabilities/capability.ts'
import { slotKeyOf } from '../../src/capabilities/slot-keys.ts'
import { equalBytes } from '../../src/foundation/bytes.ts'
import { HayloftError } from '../../src/foundation/error.ts'
import { parsePath } from '../../src/folders/names.ts'
import type { SlotKey } from '../../src/protocol/slot-key.ts'
import { directoriesOf } from '../merge/scenario.ts'
import type { Draft } from '../merge/oracle.ts'
import { perform } from '../merge/user.ts'
import type { SeededRandomness } from '../randomness.ts'
import { unlessRefused, type Actor, type Workplace } from './actor.ts'
import { Abandoned, Violation, type Deed, type Expectation } from './deed.ts'
import { isLink, linkText } from './shown.ts'
import { drawPath } from './user.ts'
import { below, crossesLink, promoted, restored } from './whole-directories.ts'

/** What all who work together have told each other of. */
export interface Common {
  /** Folders that they may write, the one that they began with first. */
  readonly folders: FolderWriteCapability[]
  readonly snapshots: Snapshot[]
}

/** A directory that was frozen, and all that was in it. */
export interface Snapshot {
  readonly capability: SnapshotReadCapability
  readonly elements: readonly Draft[]
}

/** Does one of the things that people do with whole directories and folders, in one of the folders. */
export async function doLarger(
  actor: Actor,
  randomness: SeededRandomness,
  common: Common,
): Promise<void> {
  const { folders, snapshots } = common
  const at = randomness.chance(0.5) ? actor.root : randomness.pick(folders)
  if (at !== actor.root && randomness.chance(0.4)) await actor.change(randomness, at)
  const mayPromote = folders.length < MAX_FOLDERS && directoryIn(actor, at, randomness) !== ''
  switch (
    randomness.pick(['link', 'promote', 'promote', 'restore', 'restore', 'look back', 'snapshot'])
  ) {
    case 'promote':
      if (mayPromote) return await promote(actor, at, { randomness, common })
      return
    case 'link':
      return await link(actor, at, { randomness, common })
    case 'restore':
      return await restore(actor, at, randomness)
    case 'look back':
      return await lookBack(actor, at, randomness)
    default:
      await freeze(actor, at, { randomness, common })
      if (snapshots.length > 0) await revisit(actor, randomness.pick(snapshots))
  }
}

/** Shows somebody a snapshot, which must be what it was. */
export async function revisit(
  actor: Actor,
  { capability, elements }: Snapshot,
): Promise<boolean | undefined> {
  return await actor.attempt('revisit', actor.root, async ({ judge }) => {
    const view = await actor.device.folders.open(capability)
    await judge.compareWith(view, [elements], 'a snapshot')
    return true
  })
}

interface Means {
  readonly randomness: SeededRandomness
  readonly common: Common
}

/** Links a folder, also where this leads back to itself. */
async function link(
  actor: Actor,
  at: FolderWriteCapability,
  { randomness, common }: Means,
): Promise<void> {
  const seen = actor.seenOf(at)
  if (seen.filter(({ data }) => isLink(data)).length >= MAX_LINKS) return
  const target = randomness.pick(common.folders)
  const path = drawPath(randomness, seen)
  await actor.attempt('link', at, async ({ folder, slot, judge, deed }) => {
    const { timeMs, who: device } = deed
    const data = { text: linkText(slotKeyOf(target.writeKey)), mtimeMs: timeMs, device }
    deed.expect = only(slot, (heads) => {
      const visible = judge.ledger.visible(heads)
      leaveIf(crossesLink(visible, path))
      return () => unlessRefused(() => perform(visible, { kind: 'put', path, data }))
    })
    await folder.link(parsePath(path), target)
  })
}

/** Makes a directory a folder of its own. */
async function promote(
  actor: Actor,
  at: FolderWriteCapability,
  { randomness, common }: Means,
): Promise<void> {
  const path = directoryIn(actor, at, randomness)
  await actor.attempt('promote', at, async (place) => {
    expectPromotion(place, path)
    const child = await place.folder.promote(parsePath(path))
    common.folders.push(child)
  })
}

function expectPromotion({ slot, judge, deed }: Workplace, path: string): void {
  let child: SlotKey | undefined
  let visible: readonly Draft[] = []
  const told = (): ReturnType<typeof promoted> =>
    promoted(visible, {
      path,
      device: deed.who,
      link: (newestMs = deed.timeMs) => {
        if (child === undefined) throw new Violation('linked a folder before it was there')
        return { text: linkText(child), mtimeMs: newestMs, device: deed.who }
      },
    })
  deed.expect = (written, { heads }) => {
    if (equalBytes(written, slot)) {
      visible = judge.ledger.visible(heads)
      leaveIf(crossesLink(visible, path))
      return () => unlessRefused(() => told().parent)
    }
    // A path that has come to lead into another folder.
    leaveIf(heads.length > 0 && child === undefined)
    child = written
    return () => told().child
  }
}

/** Makes a path, or all of a folder, what it was. */
async function restore(
  actor: Actor,
  at: FolderWriteCapability,
  randomness: SeededRandomness,
): Promise<void> {
  const { ledger } = actor.judges.of(slotKeyOf(at.writeKey))
  const known = ledger.everPut.map(({ path }) => path)
  if (known.length === 0) return
  const path = randomness.chance(0.3) ? '' : randomness.pick(known)
  const timeMs = drawTime(randomness, ledger.times)
  await actor.attempt('restore', at, async ({ folder, slot, deed }) => {
    deed.expect = only(slot, (heads) => {
      const [then, other] = ledger.visibleAt(headsRead(deed, slot), timeMs)
      if (then === undefined) throw new Violation('restored what never was')
      leaveIf(other !== undefined)
      const now = ledger.visible(heads)
      leaveIf(crossesLink(now, path) || crossesLink(then, path))
      return () => unlessRefused(() => restored(now, then, { path, device: deed.who }))
    })
    await unlessTooOld(deed, { slot, timeMs, ledger }, async () => {
      await folder.restore(parsePath(path), timeMs)
    })
  })
}

/** Looks at a folder as it was, or at every state that it ever had. */
async function lookBack(
  actor: Actor,
  at: FolderWriteCapability,
  randomness: SeededRandomness,
): Promise<void> {
  const { ledger } = actor.judges.of(slotKeyOf(at.writeKey))
  const timeMs = drawTime(randomness, ledger.times)
  const isWhole = randomness.chance(0.3)
  await actor.attempt(isWhole ? 'history' : 'look back', at, async (place) => {
    const { folder, slot, judge, deed } = place
    if (isWhole) return await checkHistory(place)
    await unlessTooOld(deed, { slot, timeMs, ledger }, async () => {
      const view = await folder.at(timeMs)
      await judge.compareWith(view, ledger.visibleAt(headsRead(deed, slot), timeMs), 'the past')
    })
  })
}

async function checkHistory({ folder, slot, judge, deed }: Workplace): Promise<void> {
  const told: { timeMs: number }[] = []
  let expected: ReturnType<typeof judge.ledger.history> | undefined
  for await (const commit of folder.history()) {
    expected ??= judge.ledger.history(headsRead(deed, slot))
    const state = expected[told.length]
    if (state?.timeMs !== commit.timeMs) throw new Violation('the history is another one')
    told.push(commit)
    // Of those of one time none is the first.
    const same = expected.filter(({ timeMs }) => timeMs === commit.timeMs)
    const possible = same.map((each) => judge.ledger.visibleIn(each))
    await judge.compareWith(commit.view(), possible, 'a past state')
  }
  if (told.length !== expected?.length) throw new Violation('the history is too short')
}

/** Freezes a directory, or all of a folder. */
async function freeze(
  actor: Actor,
  at: FolderWriteCapability,
  { randomness, common }: Means,
): Promise<void> {
  const path = directoryIn(actor, at, randomness)
  await actor.attempt('snapshot', at, async ({ folder, slot, judge, deed }) => {
    const capability = await folder.snapshot(parsePath(path))
    const visible = judge.ledger.visible(headsRead(deed, slot))
    leaveIf(path !== '' && (crossesLink(visible, `${path}/`) || deed.slotsRead.length > 1))
    const elements = below(visible, path)
    const snapshot = { capability, elements }
    await judge.compareWith(await actor.device.folders.open(capability), [elements], 'a snapshot')
    common.snapshots.push(snapshot)
  })
}

/** What to expect of a write to one folder, and to no other. */
function only(
  slot: SlotKey,
  expectation: (heads: Parameters<NonNullable<Deed['expect']>>[1]['heads']) => () => Expectation,
): NonNullable<Deed['expect']> {
  return (written, { heads }) => {
    // A path that has come to lead into another folder.
    leaveIf(!equalBytes(written, slot))
    return expectation(heads)
  }
}

function leaveIf(isElse: boolean): void {
  if (isElse) throw new Abandoned()
}

/** Does something that must fail if a time is before all that was, and then alone. */
async function unlessTooOld(
  deed: Deed,
  { slot, timeMs, ledger }: { slot: SlotKey; timeMs: number; ledger: Workplace['judge']['ledger'] },
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof HayloftError) || error.code !== 'no-state-then') throw error
    if (ledger.visibleAt(headsRead(deed, slot), timeMs).length > 0) {
      throw new Violation('was told that nothing is so old', { cause: error })
    }
    leaveIf(true)
  }
}

/** The states that were read last. */
function headsRead(
  deed: Deed,
  slot: SlotKey,
): Parameters<Workplace['judge']['ledger']['visible']>[0] {
  return deed.readsOf(slot).at(-1)?.heads ?? []
}

/** When one of the commits was made, or between two. */
function drawTime(randomness: SeededRandomness, times: readonly number[]): number {
  if (times.length === 0) return 0
  return randomness.pick(times) + randomness.pick([-1, 0, 0, 1, 500])
}

/** A directory that was seen; the empty path if there is none. */
function directoryIn(
  actor: Actor,
  at: FolderWriteCapability,
  randomness: SeededRandomness,
): string {
  const directories = directoriesOf(actor.seenOf(at)).filter((path) => path !== '')
  return directories.length === 0 ? '' : randomness.pick(directories)
}

/** So that a walk over links which all lead to each other ends soon. */
const MAX_FOLDERS = 4
const MAX_LINKS = 3
