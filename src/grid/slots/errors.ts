import { HayloftError } from '../../foundation/error.ts'

/** No node told anything of a slot. */
export class SlotUnavailableError extends HayloftError {
  readonly code = 'slot-unavailable'
  readonly nodes: number

  constructor(nodes: number) {
    super(
      `What changes cannot be read now: none of the ${nodes} storage nodes answers. Check the connection, ` +
        'or try again when some are back.',
    )
    this.nodes = nodes
  }
}

/** Too few nodes took a new state of a slot for the change to count. It may still have reached some. */
export class SlotNotStoredError extends HayloftError {
  readonly code = 'slot-not-stored'
  /** Nodes that must keep the state before the change counts. */
  readonly needed: number
  /** Nodes that do keep it. */
  readonly acknowledged: number

  constructor({ needed, acknowledged }: { needed: number; acknowledged: number }) {
    super(
      `The change was not stored: ${needed} storage nodes must keep it, and only ${acknowledged} did. ` +
        'Try again when more of them are there.',
    )
    this.needed = needed
    this.acknowledged = acknowledged
  }
}

/** Others wrote to a slot each time before this write was through. */
export class SlotContendedError extends HayloftError {
  readonly code = 'slot-contended'

  constructor() {
    super('Others kept changing the same thing at the same time. Try again in a moment.')
  }
}

/** As many devices have written to a slot as its clock can tell apart. */
export class SlotClockFullError extends HayloftError {
  readonly code = 'slot-clock-full'

  constructor() {
    super(
      'As many devices as can be told apart have written to this. It can still be read; ' +
        'to go on writing, copy it to a new one.',
    )
  }
}
