// Makes one file of libp2p and all it needs, in place of the compiled module that only names them. Classes and functions
// keep their names, which libp2p's errors are told apart by.
import { buildSync } from 'esbuild'
import { fileURLToPath } from 'node:url'

const MODULE = fileURLToPath(new URL('../dist/network/libp2p.js', import.meta.url))

buildSync({
  entryPoints: [MODULE],
  outfile: MODULE,
  allowOverwrite: true,
  bundle: true,
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
