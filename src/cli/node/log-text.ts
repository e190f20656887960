import { toHex } from '../../foundation/bytes.ts'
import type { NodeFile } from '../../home/node-file.ts'
import type { StorageEvent } from '../../storage-node/events.ts'
import { formatBytes } from '../terminal.ts'

/** What a node says of new settings in its log. */
export function describeSettings({ capacityBytes, reserveBytes, draining }: NodeFile): string {
  const offer = draining === true ? 'nothing, draining' : formatBytes(capacityBytes)
  return `offers ${offer}; leaves ${formatBytes(reserveBytes)} free`
}

/** Ids name what is stored and open nothing; an event never holds more than that. */
export function describeEvent(event: StorageEvent): string {
  switch (event.kind) {
    case 'share-lost':
      return `${event.why}: share ${event.index} of ${toHex(event.id)}`
    case 'record-lost':
      return `of slot ${toHex(event.slot)}`
    case 'strays-removed':
      return `${event.files} files that no share belongs to`
    case 'collected':
      return `${event.shares} shares, ${event.records} records, ${formatBytes(event.bytes)}`
    case 'usage-corrected':
      return ''
    case 'clock-jumped':
      return `by ${Math.round(event.jumpMs / 1000)} s; leases go on by the time that this node was on`
    case 'disk-error':
      return event.message
  }
}
