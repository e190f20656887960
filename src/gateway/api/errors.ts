import { HayloftError } from '../../foundation/error.ts'

/** What the API itself refuses. */
export class ApiError extends HayloftError {
  readonly code: ApiErrorCode

  constructor(code: ApiErrorCode, message: string = MESSAGES[code]) {
    super(message)
    this.code = code
  }
}

/** Stable, for programs. */
export type ApiErrorCode =
  | 'token-wrong'
  | 'host-refused'
  | 'origin-refused'
  | 'capability-in-url'
  | 'request-invalid'
  | 'request-too-large'
  | 'request-too-slow'
  | 'no-such-route'
  | 'version-differs'
  | 'alias-unknown'
  | 'place-unsuitable'
  | 'directory-not-empty'
  | 'sync-unknown'
  | 'node-absent'
  | 'asker-gone'
  | 'daemon-ending'

const MESSAGES: Readonly<Record<ApiErrorCode, string>> = {
  'token-wrong':
    'The token is missing or wrong. Send "Authorization: Bearer TOKEN"; the token is in the file api-token of the home.',
  'host-refused': 'The API answers to 127.0.0.1 and localhost, and not by another name.',
  'origin-refused': 'Web pages of other origins may not use this API.',
  'capability-in-url':
    'A capability stands in the address, where logs and lists of processes may keep it. Send it in the body or in the header Hayloft-Capability.',
  'request-invalid': 'The request is not what the description of the API says.',
  'request-too-large': 'The request is larger than the API takes.',
  'request-too-slow': 'The request took too long to arrive.',
  'no-such-route': 'There is nothing at this address.',
  'version-differs':
    'What is there is not what If-Match or If-None-Match asks for. Nothing was changed.',
  'alias-unknown': 'This home has no alias of that name.',
  'place-unsuitable': 'The capability is not of what the request takes.',
  'directory-not-empty':
    'The directory is not empty. Ask for "recursive" to remove it with all that is in it.',
  'sync-unknown': 'No synced directory has this id.',
  'node-absent': 'The daemon runs no storage node.',
  'asker-gone': 'Whoever asked did not wait for the answer.',
  'daemon-ending': 'The daemon is ending. Ask again when it runs.',
}
