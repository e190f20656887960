import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/**
 * What one member keeps on its machine, all of it under one folder, its *home*. `docs/cli.md` describes each file.
 * Clients and nodes have homes of the same shape; a client has no store.
 */
export interface HomeFiles {
  readonly home: string
  /** Secret: the account and this device in one file, which a passphrase may protect. */
  readonly secrets: string
  /** Secret, 32 bytes: the Ed25519 seed of this device, in homes without {@link secrets}. */
  readonly identityKey: string
  /** Secret, 32 bytes: all that a person owns in the grid follows from it; in homes without {@link secrets}. */
  readonly accountKey: string
  /** Secret: names that the user gave to capabilities. */
  readonly aliases: string
  /** Which grid it is and where to find a first node. */
  readonly grid: string
  /** Who belongs to the grid: what its members have signed. */
  readonly membership: string
  /** Secret: the key of the grid, where an invite gave it to this home. */
  readonly gridKey: string
  /** What the invites grant that were made here. */
  readonly invites: string
  /** Where nodes were last reached; a cache. */
  readonly addresses: string
  /** Which ids blocks had when they were last stored; a cache. */
  readonly knownBlocks: string
  /** What this device remembers of the slots that it has seen and written. */
  readonly slots: string
  /** Secret: what this home looks after for others. */
  readonly cared: string
  /** What was measured and done by whoever looks after what this home keeps. */
  readonly care: string
  /** Who looks after it now. */
  readonly careLock: string
  /** Which local files are as they were when they were last put or fetched; a cache. */
  readonly localFiles: string
  /** Which versions of files in folders were last read or written here; a cache. */
  readonly seenVersions: string
  /** Secret, 32 bytes: the Ed25519 seed of this home's storage node, where it is not that of the device. */
  readonly nodeKey: string
  /** Secret: which directories are synced with which folders. */
  readonly syncs: string
  /** What is remembered of each synced directory, and how it fares. */
  readonly syncState: string
  /** The daemon of this home, while it runs. */
  readonly daemon: string
  /** Which process is the daemon, from before it is ready. */
  readonly daemonLock: string
  /** Secret: whoever shows it may give the daemon orders. */
  readonly apiToken: string
  /** What the daemon tells of itself: files of bounded size. */
  readonly logs: string
  /** How much this home sends and takes at most, and when. */
  readonly bandwidth: string
  /** How this home's storage node is to run. */
  readonly node: string
  /** Which ports the system once chose for it; a cache. */
  readonly ports: string
  /** The storage node's process, while it runs. */
  readonly running: string
  readonly log: string
  readonly store: string
}

export function homeFiles(home: string): HomeFiles {
  return {
    home,
    secrets: join(home, 'secrets.json'),
    aliases: join(home, 'aliases.json'),
    identityKey: join(home, 'identity.key'),
    accountKey: join(home, 'account.key'),
    grid: join(home, 'grid.json'),
    membership: join(home, 'membership'),
    gridKey: join(home, 'grid-key.json'),
    invites: join(home, 'invites.json'),
    nodeKey: join(home, 'node.key'),
    addresses: join(home, 'addresses.json'),
    knownBlocks: join(home, 'known-blocks'),
    slots: join(home, 'slots'),
    cared: join(home, 'cared.json'),
    care: join(home, 'care'),
    careLock: join(home, 'care.lock'),
    localFiles: join(home, 'local-files'),
    seenVersions: join(home, 'seen-versions'),
    syncs: join(home, 'syncs.json'),
    syncState: join(home, 'sync'),
    daemon: join(home, 'daemon.json'),
    daemonLock: join(home, 'daemon.lock'),
    apiToken: join(home, 'api-token'),
    logs: join(home, 'logs'),
    bandwidth: join(home, 'bandwidth.json'),
    node: join(home, 'node.json'),
    ports: join(home, 'ports.json'),
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
