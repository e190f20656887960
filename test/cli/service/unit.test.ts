import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { unitText } from '../../../src/cli/service/unit.ts'

/** As systemd reads a quoted word: systemd.syntax(7). */
function unquoted(text: string): string {
  const inner = /^"((?:[^"\\]|\\.)*)"$/.exec(text)?.[1]
  if (inner === undefined) throw new Error(`not one word: ${text}`)
  const plain = inner.replaceAll(/\\(.)/g, (_, escaped: string) =>
    escaped === 'n' ? '\n' : escaped,
  )
  return plain.replaceAll('%%', '%')
}

function settings(text: string): Map<string, string> {
  const rows = text.split('\n').map((line) => /^([A-Z]\w+)=(.*)$/.exec(line))
  return new Map(rows.flatMap((row) => (row === null ? [] : [[row[1] ?? '', row[2] ?? '']])))
}

const options = {
  node: '/usr/bin/node',
  program: '/opt/hayloft.js',
  home: '/home/ada/.hayloft',
  port: 0,
  passphraseFile: undefined,
}

describe('a unit', () => {
  it('runs the daemon of its home, whatever the paths are called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (name, other) => {
        const [home, program] = [`/home/${name}`, `/opt/${other}`]
        const unit = settings(unitText({ ...options, home, program }))
        expect(unquoted(unit.get('Environment') ?? '')).toBe(`HAYLOFT_HOME=${home}`)
        const words = (unit.get('ExecStart') ?? '').match(/"(?:[^"\\]|\\.)*"/g) ?? []
        const command = words.map((word) => unquoted(word).replaceAll('$$', '$'))
        expect(command).toEqual(['/usr/bin/node', program, 'start', '--quiet'])
      }),
    )
  })

  it('names the port and the passphrase file where there are any', () => {
    const text = unitText({ ...options, port: 4100, passphraseFile: '/home/ada/secret' })
    expect(text).toContain('"--port" "4100"')
    expect(text).toContain('Environment="HAYLOFT_PASSPHRASE_FILE=/home/ada/secret"')
  })
})
