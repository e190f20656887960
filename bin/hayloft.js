#!/usr/bin/env node
// Written so that even a Node which is too old can run it far enough to say so.
import { existsSync } from 'node:fs'
import module from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
const program = new URL('../dist/cli/main.js', import.meta.url)

if (major < 20 || (major === 20 && minor < 19)) {
  refuse(`hayloft: Hayloft needs Node 20.19 or newer, and this is ${process.versions.node}.`)
} else if (!existsSync(program)) {
  refuse('hayloft: Hayloft has not been built yet. Run: npm ci')
} else {
  // From Node 22 on the compiled form of libp2p is kept, which saves a good part of a short command's time.
  module.enableCompileCache?.()
  void import(program.href).then(({ main }) => main(process.argv.slice(2)))
}

/** @param {string} why */
function refuse(why) {
  process.stderr.write(`${why}\n`)
  process.exit(78)
}
