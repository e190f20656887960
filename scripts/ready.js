// Gets a checkout ready to run: dependencies as package-lock.json has them, and src/ built into dist/. Runs before
// anything is installed, so it uses nothing but Node itself.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Packages that want a newer Node than they need say so in warnings, which would only worry people. */
const INSTALL = ['ci', '--no-fund', '--no-audit', '--loglevel=error']

/** Installs and builds what is missing or out of date; ends the process with a sentence if that fails. */
export function makeReady() {
  refuseOldNode()
  if (!isInstalled()) {
    say('Installing what Hayloft needs (npm ci) …')
    npm(INSTALL, 'npm could not install it. Is there a network?')
  }
  makeBuilt()
}

/** Builds if src/ is newer than dist/. */
export function makeBuilt() {
  if (isBuilt()) return
  say('Building Hayloft (npm run build) …')
  npm(['run', '--silent', 'build'], 'The build failed.')
}

/** Tells, where it is so, that the optional native addon is missing. For once everything is ready. */
export async function sayIfPortable() {
  const { loadNativeEngine } = await import('../dist/erasure/engines.js')
  if (loadNativeEngine() !== undefined) return
  say(
    'The fast erasure coder could not be built here (is there a C compiler?), so the portable one',
  )
  say('is used: it gives the same bytes, and takes longer.')
}

/** @param {string} text */
export function say(text) {
  process.stdout.write(`${text}\n`)
}

function refuseOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  fail(`Hayloft needs Node 20.19 or newer, and this is ${process.versions.node}.`)
}

/** Whether every package that the lock file wants is there in that version. Optional ones may be absent. */
function isInstalled() {
  const wanted = packagesIn(join(ROOT, 'package-lock.json'))
  const there = packagesIn(join(ROOT, 'node_modules', '.package-lock.json'))
  if (wanted === undefined || there === undefined) return false
  return Object.entries(wanted).every(([path, { version, optional, devOptional, peer }]) => {
    if (path === '' || there[path]?.version === version) return true
    const mayBeAbsent = optional === true || devOptional === true || peer === true
    return mayBeAbsent && there[path] === undefined
  })
}

/**
 * @param {string} path
 * @returns {Record<string, {version?: string, optional?: boolean, devOptional?: boolean, peer?: boolean}> | undefined}
 */
function packagesIn(path) {
  if (!existsSync(path)) return undefined
  return JSON.parse(readFileSync(path, 'utf8')).packages
}

function isBuilt() {
  const program = join(ROOT, 'dist', 'cli', 'main.js')
  if (!existsSync(program)) return false
  const builtMs = statSync(program).mtimeMs
  return newestMs(join(ROOT, 'src')) <= builtMs
}

/**
 * @param {string} directory
 * @returns {number}
 */
function newestMs(directory) {
  const times = readdirSync(directory, { withFileTypes: true }).map((entry) => {
    const path = join(directory, entry.name)
    return entry.isDirectory() ? newestMs(path) : statSync(path).mtimeMs
  })
  return Math.max(0, ...times)
}

/**
 * @param {string[]} args
 * @param {string} failure
 */
function npm(args, failure) {
  // Under `npm start`, npm names the very npm that runs; on Windows, npm is a script and needs a shell.
  const path = process.env['npm_execpath']
  const options = { cwd: ROOT, stdio: 'inherit' }
  const { status } =
    path !== undefined && path.endsWith('.js')
      ? spawnSync(process.execPath, [path, ...args], options)
      : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' })
  if (status !== 0) fail(failure)
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
