import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * What one member keeps on its machine, all of it under one folder, its *home*. `docs/cli.md` describes each file.
 * Clients and nodes have homes of the same shape; a client has no store.
 */
export interface HomeFiles {
  readonly home: string
  /** Secret, 32 bytes: the Ed25519 seed of this device. */
  readonly identityKey: string
  /** Secret, 32 bytes: all that a person owns in the grid follows from it. */
  readonly accountKey: string
  /** Who belongs to the grid and where to find a first node. */
  readonly grid: string
  /** Where nodes were last reached; a cache. */
  readonly addresses: string
  /** How this home's storage node is to run. */
  readonly node: string
  /** The storage node's process, while it runs. */
  readonly running: string
  readonly log: string
  readonly store: string
}

export function homeFiles(home: string): HomeFiles {
  return {
    home,
    identityKey: join(home, 'identity.key'),
    accountKey: join(home, 'account.key'),
    grid: join(home, 'grid.json'),
    addresses: join(home, 'addresses.json'),
    node: join(home, 'node.json'),
    running: join(home, 'running.json'),
    log: join(home, 'node.log'),
    store: join(home, 'store'),
  }
}

/** `HAYLOFT_HOME`, or `.hayloft` among the user's own files. */
export function currentHome(environment: NodeJS.ProcessEnv = process.env): HomeFiles {
  const named = environment['HAYLOFT_HOME']
  const home = named === undefined || named === '' ? join(homedir(), '.hayloft') : resolve(named)
  return homeFiles(home)
}
