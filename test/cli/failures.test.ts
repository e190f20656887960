import { describe, expect, it } from 'vitest'
import { EXIT } from '../../src/cli/exit-codes.ts'
import { failureOf, InterruptedError, systemFailure } from '../../src/cli/failures.ts'
import { withoutCapabilities } from '../../src/capabilities/redact.ts'
import { NotEnoughSharesError, TooFewNodesError } from '../../src/grid/errors.ts'
import { blockId } from '../../src/protocol/block-id.ts'

const systemError = (code: string): Error => Object.assign(new Error(`${code}: secret`), { code })

describe('a failure', () => {
  it.each([
    [new TooFewNodesError({ needed: 7, answered: 2, total: 10 }), EXIT.lost, 'too-few-nodes'],
    [
      new NotEnoughSharesError(blockId(new Uint8Array(32)), {
        found: 1,
        required: 3,
        mayComeBack: true,
      }),
      EXIT.lost,
      'not-enough-shares',
    ],
    [new InterruptedError('SIGINT'), 130, 'interrupted'],
    [new InterruptedError('SIGTERM'), 143, 'interrupted'],
    [systemError('ENOSPC'), EXIT.io, 'disk-full'],
    [systemError('EACCES'), EXIT.permission, 'permission'],
    [systemError('ENOENT'), EXIT.inputMissing, 'not-found'],
    [systemError('EWEIRD'), EXIT.io, 'io'],
    [new TypeError('x is not a function'), EXIT.internal, 'internal'],
    ['a thrown text', EXIT.internal, 'internal'],
  ])('%s has its status and code', (thrown, exit, code) => {
    expect(failureOf(thrown)).toMatchObject({ exit, code })
  })

  it('of the system is a sentence that repeats nothing of the error', () => {
    const failure = systemFailure(systemError('EACCES'), 'The file a.txt')
    expect(failure?.message).toBe('The file a.txt is not yours to access.')
  })

  it('of our own tells how to report it, and nothing else', () => {
    expect(failureOf(new TypeError('secret')).message).not.toContain('secret')
  })
})

describe('what is told', () => {
  const key = 'q8eudrjz3qmmane92d49wwcd4zrqzqkmz'

  it.each([
    [`Unknown command 'hayfile1${key}'.`, "Unknown command 'hayfile1…'."],
    [`/a/HAYFILEVERIFY1${key.toUpperCase()} is`, '/a/HAYFILEVERIFY1… is'],
    [`hayliteral1${key} hayfile1${key}`, 'hayliteral1… hayfile1…'],
  ])('loses its capabilities: %#', (text, shown) => {
    expect(withoutCapabilities(text)).toBe(shown)
  })

  it('keeps everything else', () => {
    const text =
      'A "1" is missing after hayfile, at character 8; see hay1.txt and hayloft-1a2b3c4d.'
    expect(withoutCapabilities(text)).toBe(text)
  })
})
