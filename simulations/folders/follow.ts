import { slotKeyOf } from '../../src/capabilities/slot-keys.ts'
import { formatPath, type Path } from '../../src/folders/names.ts'
import type { Shown } from '../../src/folders/read.ts'
import { slotKeyHex, type SlotKeyHex } from '../../src/protocol/slot-key.ts'
import type { SeededRandomness } from '../randomness.ts'
import type { Actor, Workplace } from './actor.ts'
import { Violation, type Deed } from './deed.ts'
import type { FolderJudges } from './judge.ts'
import { differenceOf, lineShown, linesExpected } from './shown.ts'

/**
 * Goes into every folder that is linked, wherever that leads, and compares what is shown there with what that folder
 * held when it was read; reads one file beyond a link, and looks whether one may write there.
 * @returns what was read
 */
export async function follow(
  actor: Actor,
  randomness: SeededRandomness,
  { mayLack }: { mayLack: boolean },
): Promise<Deed | undefined> {
  return await actor.attempt('follow', actor.root, async (place) => {
    const view = await place.folder.now()
    const entered = new Map<string, Entered>()
    entered.set('', { slots: [slotKeyHex(place.slot)], lines: [], isUnreadable: false })
    const beyond: (Shown & { path: Path })[] = []
    const walk = view.walk([], {
      links: true,
      onUnreadable: (path, { code }) => {
        const link = entered.get(formatPath(path))
        const isCycle = link !== undefined && hasCycle(link)
        if (isCycle !== (code === 'link-cycle')) throw new Violation(`a link led to ${code}`)
        if (!isCycle && !mayLack) throw new Violation(`a link leads nowhere: ${code}`)
        if (link !== undefined) link.isUnreadable = true
      },
    })
    for await (const shown of walk) {
      const { path, entry } = shown
      const { folder, inner } = holderOf(entered, path)
      folder.lines.push(lineShown(shown, actor.judges.contents, inner))
      if (entry.kind === 'linked-folder') {
        const slots = [...folder.slots, slotKeyHex(entry.slot)]
        entered.set(formatPath(path), { slots, lines: [], isUnreadable: false })
        actor.count('link followed')
      } else if (entry.kind !== 'directory' && folder.slots.length > 1) beyond.push(shown)
    }
    for (const [path, folder] of entered) checkEntered(actor, place, { path, folder })
    if (beyond.length > 0) await place.judge.readFile(view, randomness.pick(beyond))
    await checkPower(actor, place, entered, randomness)
    return place.deed
  })
}

/** What folders have lost of what was acknowledged, as they were read last. */
export function lossesIn(deed: Deed, judges: FolderJudges): string[] {
  return deed.slotsRead.flatMap((slot) => {
    const heads = deed.readsNamed(slot).at(-1)?.heads ?? []
    return judges.named(slot).ledger.losses(heads)
  })
}

/** A folder at the path of a link. */
interface Entered {
  /** The folders that the path led through, this one's last. */
  readonly slots: readonly SlotKeyHex[]
  readonly lines: string[]
  isUnreadable: boolean
}

function hasCycle({ slots }: Entered): boolean {
  return new Set(slots).size < slots.length
}

/** The innermost folder that something was shown in, and where in it. */
function holderOf(
  entered: ReadonlyMap<string, Entered>,
  path: Path,
): { folder: Entered; inner: Path } {
  for (let names = path.length - 1; names >= 0; names--) {
    const folder = entered.get(formatPath(path.slice(0, names)))
    if (folder !== undefined) return { folder, inner: path.slice(names) }
  }
  throw new Violation('something was shown that is in no folder')
}

/** It must show what it held at one of the times that it was read: several links may lead to it. */
function checkEntered(
  actor: Actor,
  { deed }: Workplace,
  { path, folder }: { path: string; folder: Entered },
): void {
  const { slots, lines, isUnreadable } = folder
  if (hasCycle(folder) && (lines.length > 0 || !isUnreadable)) {
    throw new Violation(`${path} leads in a circle, and that was not told`)
  }
  if (isUnreadable) return
  const slot = slots.at(-1) as SlotKeyHex
  const { ledger } = actor.judges.named(slot)
  const differences = deed.readsNamed(slot).map(({ heads }) => {
    return differenceOf(lines.toSorted(), linesExpected(ledger.visible(heads)))
  })
  if (!differences.includes(undefined)) {
    throw new Violation(`the folder at "${path}" ${differences[0] ?? 'was not read'}`)
  }
}

/** Who may write a folder may write what it links. */
async function checkPower(
  actor: Actor,
  { folder }: Workplace,
  entered: ReadonlyMap<string, Entered>,
  randomness: SeededRandomness,
): Promise<void> {
  const links = [...entered].filter(([path, each]) => path !== '' && !each.isUnreadable)
  if (links.length === 0) return
  const [path, { slots }] = randomness.pick(links)
  const located = await folder.locate(path.split('/') as never)
  const isAsked = slotKeyHex(located.folder.capability.slot) === slots.at(-1)
  // Somebody may have put something else there meanwhile.
  if (!isAsked || located.path.length > 0) return
  if (located.power !== 'write') throw new Violation(`${path} can be read alone`)
  const { writeKey } = located.folder.writeCapability
  if (slotKeyHex(slotKeyOf(writeKey)) !== slots.at(-1)) throw new Violation('a wrong key')
  actor.count('power checked')
}
