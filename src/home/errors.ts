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
