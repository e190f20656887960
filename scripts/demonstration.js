// What `npm start` shows. Every step is a command of Hayloft's, printed before it runs, so that it can be repeated.
import { createReadStream, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { CommandFailed, hayloft } from './hayloft.js'
import { ROOT, say, sayIfPortable } from './ready.js'

/** The demonstration has a practice grid of its own, so that it never stops the nodes of another. */
const DIR = join(resolve(process.env['HAYLOFT_HOME'] || join(homedir(), '.hayloft')), 'demo')
const HOME = join(DIR, 'me')
/** Blocks shown in the table: as many as fit 80 columns. */
const COLUMNS = 16

export async function demonstrate() {
  const ended = untilTold()
  let status = 0
  try {
    await showAll(ended)
  } catch (thrown) {
    if (!ended.told) {
      status = 1
      // A command says on standard error why it failed.
      if (!(thrown instanceof CommandFailed)) throw thrown
    }
  } finally {
    await stopAll()
  }
  process.exit(status)
}

/** @param {ReturnType<typeof untilTold>} ended */
async function showAll(ended) {
  say('')
  say(bold('Hayloft keeps a file on many computers, and brings it back when most are gone.'))
  await sayIfPortable()
  const nodes = await startNodes()
  const { stored, capability } = await storeFile()
  await showShares(capability, nodes)
  const { gone, left } = await stopMost(nodes, stored.shares.required)
  await bringBack(stored, capability)
  sayWhatNext(gone, left)
  await ended.promise
}

async function startNodes() {
  step(1, 'Ten storage nodes start: processes, each with its key, folder and port.')
  command(`practice start --dir ${short(DIR)}`)
  const timer = stopwatch()
  const { nodes } = await hayloft(['practice', 'start', '--dir', DIR])
  say(`  ${nodes.length} nodes run and answer, after ${timer()}. Friends' computers, in earnest.`)
  return nodes
}

async function storeFile() {
  const file = fileToStore()
  step(2, `A file is encrypted, cut into shares and spread over them.`)
  command(`put ${relative(process.cwd(), file) || file}`)
  const timer = stopwatch()
  const [stored] = await hayloft(['put', file], { home: HOME })
  const { required, total } = stored.shares
  const took = timer()
  if (stored.sentBytes === 0) {
    say(`  All of its shares are there from the last time: nothing was sent. ${took}.`)
  } else {
    say(
      `  ${mebibytes(stored.size)} stored in ${took}. Each MiB became ${total} shares, any ${required} of`,
    )
    say(`  which bring it back; ${mebibytes(stored.sentBytes)} were sent in all.`)
  }
  say('  Its capability, which is all that anybody needs to read it:')
  say(`  ${bold(stored.capability)}`)
  const capability = join(DIR, 'demo.capability')
  writeFileSync(capability, `${stored.capability}\n`, { mode: 0o600 })
  return { stored, capability }
}

/**
 * @param {string} capability
 * @param {{ name: string }[]} nodes
 */
async function showShares(capability, nodes) {
  step(3, 'Where its shares are: one of each block on every node, and none can read it.')
  command(`check @${short(capability)}`)
  const { blocks } = await hayloft(['check', `@${capability}`], { home: HOME, okStatuses: [0, 1] })
  const shown = blocks.slice(0, COLUMNS)
  say(dim(`  block      ${shown.map((_, at) => String(at + 1).padStart(3)).join('')}`))
  for (const { name } of nodes) {
    const cells = shown.map(({ holders }) => {
      const held = holders.filter(({ node }) => node === name).map(({ share }) => share + 1)
      return held.join('+').padStart(3)
    })
    say(`  ${name}    ${cells.join('')}`)
  }
  if (blocks.length > shown.length) say(dim(`  … and so on for ${blocks.length} blocks.`))
}

/**
 * @param {{ name: string }[]} nodes
 * @param {number} required
 */
async function stopMost(nodes, required) {
  const names = nodes.map(({ name }) => name)
  // Every third stays, so that nobody suspects the first ones of being special.
  const stride = Math.floor(names.length / required)
  const left = names.filter((_, at) => at % stride === 1 % stride).slice(0, required)
  const gone = names.filter((name) => !left.includes(name))
  step(4, `${gone.length} of the ${names.length} nodes go away.`)
  command(`practice stop ${gone.join(' ')}`)
  await hayloft(['practice', 'stop', '--dir', DIR, ...gone])
  say(`  Only ${left.join(', ')} are left.`)
  return { gone, left }
}

/**
 * @param {{ file: string, size: number }} stored
 * @param {string} capability
 */
async function bringBack(stored, capability) {
  const copy = join(DIR, 'brought-back')
  step(5, `The file comes back from the rest.`)
  command(`get @${short(capability)} -o ${short(copy)}`)
  const timer = stopwatch()
  await hayloft(['get', `@${capability}`, '-o', copy], { home: HOME })
  const took = timer()
  if (!(await isSame(stored.file, copy))) throw new Error('the copy differs from the original')
  say(
    `  ${mebibytes(stored.size)} in ${took}. ${bold('Compared with the original: every byte is the same.')}`,
  )
}

/**
 * @param {string[]} gone
 * @param {string[]} left
 */
function sayWhatNext(gone, left) {
  step(6, 'Now you. In another terminal, in this directory:')
  const lines = [
    [`export HAYLOFT_HOME=${HOME}`, ''],
    [`npx hayloft check @${join(DIR, 'demo.capability')}`, ''],
    ['npx hayloft practice start', `brings ${gone.length} nodes back`],
    ['npx hayloft put README.md', 'then: npx hayloft get CAP'],
    ['npx hayloft --help', ''],
  ]
  for (const [line, remark] of lines) {
    say(remark === '' ? `  ${line}` : `  ${line.padEnd(30)}${dim(`# ${remark}`)}`)
  }
  say('')
  say(`${left.length} nodes keep running. Ctrl-C stops them and ends this; what they store stays.`)
}

/** A real file of a decent size: the compiler that has just built Hayloft. */
function fileToStore() {
  const compilers = join(ROOT, 'node_modules', '@typescript')
  const found = existsSync(compilers)
    ? readdirSync(compilers).map((name) => join(compilers, name, 'lib', 'tsc'))
    : []
  const compiler = found.find((path) => existsSync(path))
  return compiler ?? join(ROOT, 'package-lock.json')
}

async function stopAll() {
  if (!existsSync(DIR)) return
  say('\nStopping the nodes …')
  try {
    // In a process group of its own, so that another Ctrl-C does not stop the stopping.
    await hayloft(['practice', 'stop', '--dir', DIR], { detached: true, okStatuses: [0, 66] })
  } catch (thrown) {
    if (!(thrown instanceof CommandFailed)) throw thrown
  }
}

/** Resolves on Ctrl-C, on SIGTERM, and when whoever started us is gone without having said so. */
function untilTold() {
  const state = { told: false, promise: Promise.resolve() }
  state.promise = new Promise((resolve) => {
    const tell = () => {
      state.told = true
      resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, tell)
    const parent = process.ppid
    setInterval(() => {
      if (process.ppid !== parent) tell()
    }, 1000)
  })
  return state
}

/**
 * @param {string} one
 * @param {string} other
 */
async function isSame(one, other) {
  if (statSync(one).size !== statSync(other).size) return false
  const others = createReadStream(other)[Symbol.asyncIterator]()
  // Two regular files are read in pieces of the same size.
  for await (const piece of createReadStream(one)) {
    const { value } = await others.next()
    if (value === undefined || !piece.equals(value)) return false
  }
  return true
}

/**
 * @param {number} number
 * @param {string} text
 */
function step(number, text) {
  say(`\n${bold(String(number))}  ${text}`)
}

/** @param {string} text */
function command(text) {
  say(dim(`  $ hayloft ${text}`))
}

function stopwatch() {
  const startedMs = performance.now()
  return () => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`
}

/** @param {number} bytes */
function mebibytes(bytes) {
  return bytes < 2 ** 20 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

/**
 * With ~ for the home directory.
 * @param {string} path
 */
function short(path) {
  const home = homedir()
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path
}

const HAS_STYLE = process.stdout.isTTY && !process.env['NO_COLOR']

/** @param {string} text */
function bold(text) {
  return HAS_STYLE ? `\u001B[1m${text}\u001B[22m` : text
}

/** @param {string} text */
function dim(text) {
  return HAS_STYLE ? `\u001B[2m${text}\u001B[22m` : text
}
