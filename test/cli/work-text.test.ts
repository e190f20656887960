import { describe, expect, it } from 'vitest'
import { workLine, workText } from '../../src/cli/sync/work-text.ts'
import type { SyncReport } from '../../src/gateway/daemon/sync-report.ts'
import type { SyncWork } from '../../src/gateway/sync/work.ts'

const GIB = 2 ** 30
const SENDING: SyncWork = {
  kind: 'sending',
  doneFiles: 12,
  files: 40,
  doneBytes: GIB,
  bytes: 5 * GIB,
  elapsedMs: 60_000,
}

describe('what a sync is doing', () => {
  it('is told with how much there is and how long it may take', () => {
    expect(workText(SENDING)).toBe('sending: 12 of 40 files, 1.0 GiB of 5.0 GiB, 4:00 left')
  })

  it('has no end that one could tell at the beginning', () => {
    expect(workText({ ...SENDING, elapsedMs: 500 })).not.toContain('left')
    expect(workText({ ...SENDING, doneBytes: 0 })).not.toContain('left')
    expect(workText({ ...SENDING, doneBytes: 5 * GIB })).not.toContain('left')
  })

  it('has no total while files are read', () => {
    const reading = { ...SENDING, kind: 'reading' as const, files: null, bytes: null }
    expect(workText(reading)).toBe('reading what has changed: 12 files, 1.0 GiB')
    expect(workText({ ...reading, doneBytes: 0 })).toBe('syncing')
  })

  it('is nothing to count where only names change', () => {
    expect(workText({ ...SENDING, doneFiles: 0, files: 0, doneBytes: 0, bytes: 0 })).toBe('syncing')
  })

  it('is that of the first of several directories that does something', () => {
    const idle = { directory: '/a', work: null } as SyncReport
    const busy = { directory: '/b', work: SENDING } as SyncReport
    expect(workLine([idle, busy])).toEqual({ label: '/b', text: workText(SENDING) })
    expect(workLine([idle])).toBeUndefined()
  })

  it('is why nothing can be done, where that is so', () => {
    const report = { directory: '/a', work: null, state: 'failed', message: 'No node answers.' }
    expect(workLine([report as SyncReport])).toEqual({
      label: '/a',
      text: 'No node answers.',
    })
  })
})
