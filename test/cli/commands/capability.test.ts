import { describe, expect, it } from 'vitest'
import { hayloft } from '../../support/hayloft.ts'
import frozen from '../../vectors/capabilities-slots.json' with { type: 'json' }

const [slot] = frozen.slots
const [snapshot] = frozen.snapshots

describe.each([
  ['folder', slot?.folder],
  ['mutable', slot?.mutable],
])('the capabilities of a %s', (family, texts) => {
  it('weaken one by one and never strengthen', async () => {
    const { write = '', read = '', verify = '' } = texts ?? {}
    const chain: readonly [string, string, string][] = [
      [write, 'read', read],
      [write, 'verify', verify],
      [read, 'read', read],
      [read, 'verify', verify],
      [verify, 'verify', verify],
    ]
    const runs = await Promise.all(
      chain.map(([from, to]) => hayloft(['capability', '-', '--to', to], { stdin: from })),
    )
    expect(runs.map(({ stdout }) => stdout)).toEqual(chain.map(([, , expected]) => `${expected}\n`))

    const stronger = await hayloft(['capability', '-', '--to', 'read'], { stdin: verify })
    expect(stronger).toMatchObject({ status: 64, stdout: '' })
    expect(stronger.stderr).toContain('to verify, and what was asked for is one to read')
    expect(stronger.stderr).not.toContain(verify.slice(-20))
    const nonsense = await hayloft(['capability', '-', '--to', 'write'], { stdin: read })
    expect(nonsense).toMatchObject({ status: 64, stdout: '' })
  })

  it('are explained, with the slot that nodes know', async () => {
    const { write = '', read = '', verify = '' } = texts ?? {}
    for (const stdin of [write, read, verify]) {
      const { stdout, status } = await hayloft(['capability', '-', '--json'], { stdin })
      expect(status).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({
        kind: expect.stringContaining(family) as string,
        slot: slot?.slot,
      })
    }
  })
})

it('a snapshot weakens, and a file is not one', async () => {
  const stdin = snapshot?.read ?? ''
  const weaker = await hayloft(['capability', '-', '--to', 'verify'], { stdin })
  expect(weaker.stdout).toBe(`${snapshot?.verify}\n`)
  const got = await hayloft(['get', '-'], { stdin })
  expect(got).toMatchObject({ status: 64, stdout: '' })
  expect(got.stderr).toContain('Name a file in it')
})
