// Makes a few files of libp2p and all it needs, in place of the compiled modules that only name them: what every command
// reads, and beside it what only some come to need. Classes and functions keep their names, which libp2p's errors are
// told apart by.
import { buildSync } from 'esbuild'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const NETWORK = fileURLToPath(new URL('../dist/network/', import.meta.url))

buildSync({
  entryPoints: [join(NETWORK, 'libp2p.js'), join(NETWORK, 'paths/webrtc-library.js')],
  outdir: NETWORK,
  outbase: NETWORK,
  allowOverwrite: true,
  bundle: true,
  // What two of them need is in a file of its own, so that it is there once.
  splitting: true,
  chunkNames: 'shared-[hash]',
  // Finds its native part beside itself, and is absent where there is none.
  external: ['node-datachannel'],
  platform: 'node',
  format: 'esm',
  target: 'node20',
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'eof',
  // Some of what libp2p needs is CommonJS and asks for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
})
