import { execFile } from 'node:child_process'
import { describe, expect, it } from 'vitest'

interface Ended {
  readonly status: number | string | null | undefined
  readonly stdout: string
  readonly stderr: string
}

async function run(script: string, ...args: string[]): Promise<Ended> {
  return await new Promise((resolve) => {
    execFile(process.execPath, ['--import', 'tsx', script, ...args], (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : error.code, stdout, stderr })
    })
  })
}

describe('a simulation or model', () => {
  it.each([
    ['simulations/models/main.ts', 'npm run model'],
    ['simulations/main.ts', 'npm run simulate'],
    ['simulations/sync/main.ts', 'npm run simulate-sync'],
    ['bench/main.ts', 'npm run bench'],
  ])('%s tells its options, and does not choke on others', async (script, usage) => {
    const [help, wrong] = await Promise.all([run(script, '--help'), run(script, '--nonsense')])
    expect(help).toMatchObject({ status: 0, stderr: '' })
    expect(help.stdout).toContain(usage)
    expect(wrong).toMatchObject({ status: 64, stdout: '' })
    expect(wrong.stderr).toContain("Unknown option '--nonsense'")
    expect(wrong.stderr).toContain(usage)
    expect(wrong.stderr).not.toMatch(/^\s+at /m)
  })
})
