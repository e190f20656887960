// `npm test`: installs and builds what is missing, then runs the tests. Arguments go to vitest.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { makeReady, ROOT, sayIfPortable } from './ready.js'

makeReady()
await sayIfPortable()
const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs')
const args = [vitest, 'run', ...process.argv.slice(2)]
const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' })
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (status) => process.exit(status ?? 1))
