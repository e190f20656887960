// Runs the command line as a user would.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ROOT } from './ready.js'

const PROGRAM = join(ROOT, 'bin', 'hayloft.js')

/** A command that failed; it has told why itself. */
export class CommandFailed extends Error {
  /** @param {number | null} status */
  constructor(status) {
    super(`hayloft ended with status ${status}`)
    this.status = status
  }
}

/**
 * @param {string[]} args
 * @param {{ home?: string, okStatuses?: number[], detached?: boolean }} [options]
 * @returns {Promise<any>} what it printed as JSON
 */
export async function hayloft(args, { home, okStatuses = [0], detached = false } = {}) {
  const child = spawn(process.execPath, [PROGRAM, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: home === undefined ? process.env : { ...process.env, HAYLOFT_HOME: home },
    detached,
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  const status = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (!okStatuses.includes(status)) throw new CommandFailed(status)
  return JSON.parse(output)
}
