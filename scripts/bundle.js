// Makes a few files of the compiled modules and of libp2p with all it needs: what every command reads, and beside it what
// only some come to need (whatever is imported when it runs). Node reads hundreds of small files several times as slowly,
// which every command would feel. Classes and functions keep their names, which errors are told apart by.
import { buildSync } from 'esbuild'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGE = fileURLToPath(new URL('..', import.meta.url))
const DIST = join(PACKAGE, 'dist')
/** What is imported from outside: the program, the library, a thread of its own, and what `scripts/ready.js` asks. */
const ENTRIES = [
  'cli/main.js',
  'library/index.js',
  'gateway/sync/watch/watch-worker.js',
  'erasure/engines.js',
]

const { metafile } = buildSync({
  absWorkingDir: PACKAGE,
  entryPoints: ENTRIES.map((entry) => join(DIST, entry)),
  outdir: DIST,
  outbase: DIST,
  allowOverwrite: true,
  bundle: true,
  splitting: true,
  // As far from package.json as the folders of src/ are.
  chunkNames: 'chunks/[hash]',
  // These find their native parts beside themselves, and the second is absent where there is none.
  external: ['level', 'node-datachannel'],
  platform: 'node',
  format: 'esm',
  target: 'node20',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'eof',
  metafile: true,
  // Some of what libp2p needs is CommonJS and asks for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
})

// The modules that are in the bundles now, and bundles of earlier builds. Types stay.
const made = new Set(Object.keys(metafile.outputs).map((path) => join(PACKAGE, path)))
for (const path of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
  const file = join(DIST, path)
  if (/\.js(\.map)?$/.test(path) && !made.has(file)) rmSync(file)
}
