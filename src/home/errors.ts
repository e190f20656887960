import { HayloftError } from '../foundation/error.ts'

/** What is wrong with a home: damaged, incomplete, locked, or open to others. */
export class HomeError extends HayloftError {
  readonly code: HomeErrorCode

  constructor({ code, message }: { code: HomeErrorCode; message: string }, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Stable, for programs. */
export type HomeErrorCode =
  | 'home-damaged'
  | 'home-busy'
  | 'secrets-exposed'
  | 'passphrase-missing'
  | 'passphrase-wrong'
  | 'no-account'
  | 'no-grid'

/** This device belongs to the grid of its home no more. */
export class NotAMemberError extends HayloftError {
  readonly code = 'not-a-member'

  constructor(gridName: string) {
    super(
      `This device does not belong to the grid ${gridName} any more: an admin removed its account, or the account the ` +
        'device. An admin takes an account back with "hayloft grid readmit NAME"; a device comes back with "hayloft device add" on another one of yours.',
    )
  }
}
