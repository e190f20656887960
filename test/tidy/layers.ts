import { importsOf, isRelative, resolved } from './imports.ts'
import type { Source } from './sources.ts'

/** Folders of src/ from the lowest up. One imports itself and what stands before its rank; not its own rank's others. */
const RANKS: readonly (readonly string[])[] = [
  ['foundation'],
  ['crypto', 'erasure'],
  ['protocol'],
  ['capabilities', 'network', 'storage-node'],
  ['grid'],
  ['folders'],
  ['home'],
  ['library'],
  ['gateway'],
  ['cli'],
]

/** Arrows that the ranks allow and the architecture does not. */
function isBarred(from: string, to: string): boolean {
  // Everything but the composition roots takes the Network interface, so that a simulated one serves.
  if (to === 'network') return from !== 'cli' && from !== 'library'
  // They meet in protocol alone, so that a test or simulation swaps either.
  return from === 'grid' && to === 'storage-node'
}

/** The only places of src/ that may import a package; paths that begin with one of `homes`. */
const HOMES: readonly { readonly packages: RegExp; readonly homes: readonly string[] }[] = [
  { packages: /^(libp2p|@libp2p\/.*|@multiformats\/.*)$/, homes: ['src/network/'] },
  {
    packages: /^(node:)?crypto$|^@noble\//,
    homes: ['src/crypto/', 'src/foundation/system.ts'],
  },
  {
    packages: /^(level|classic-level|abstract-level)$/,
    homes: ['src/storage-node/', 'src/gateway/sync/records/'],
  },
  { packages: /^cborg(\/|$)/, homes: ['src/protocol/'] },
  { packages: /^@ronomon\//, homes: ['src/erasure/'] },
  {
    packages: /^(fastify|@fastify\/.*|typebox|prom-client)$/,
    homes: ['src/gateway/api/'],
  },
  { packages: /^(commander|cli-progress)$/, homes: ['src/cli/'] },
]

/** What a file of src/ imports against the architecture, a sentence each. */
export function layerFlaws(source: Source): string[] {
  if (!source.path.startsWith('src/')) return []
  const from = folderOf(source.path)
  if (rankOf(from) === -1) return [`${source.path} lies in a folder that has no rank`]
  return importsOf(source).flatMap((specifier) => {
    const flaw = isRelative(specifier)
      ? flawOfPath(from, resolved(source, specifier))
      : flawOfPackage(source.path, specifier)
    return flaw === undefined ? [] : [`${source.path} imports ${specifier}: ${flaw}`]
  })
}

function flawOfPath(from: string, path: string): string | undefined {
  if (!path.startsWith('src/')) return 'src/ imports nothing outside of it'
  const to = folderOf(path)
  if (to === from) return undefined
  if (rankOf(to) === -1) return 'that folder has no rank'
  if (rankOf(to) >= rankOf(from)) return `${to} does not stand below ${from}`
  return isBarred(from, to) ? `${from} must not know ${to}` : undefined
}

function flawOfPackage(path: string, specifier: string): string | undefined {
  const rule = HOMES.find(({ packages }) => packages.test(specifier))
  if (rule === undefined || rule.homes.some((home) => path.startsWith(home))) return undefined
  return `only ${rule.homes.join(' and ')} may`
}

function folderOf(path: string): string {
  return path.split('/')[1] ?? ''
}

function rankOf(folder: string): number {
  return RANKS.findIndex((rank) => rank.includes(folder))
}
