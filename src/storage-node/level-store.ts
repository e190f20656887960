import { statfs } from 'node:fs/promises'
import { Level } from 'level'
import { systemCodeOf } from '../foundation/error.ts'
import { NodeAlreadyRunningError, type KeyValueStore, type Row, type RowChange } from './disk.ts'

type Database = Level<Uint8Array, Uint8Array>

/**
 * So many rows are read at once, on this thread: they come from memory, or are ruled out by LevelDB's filters in memory,
 * in microseconds, and the way to the thread pool and back costs many times that.
 */
const FEW_KEYS = 16
/** What LevelDB may write while it opens: what its log holds, once more, as tables. */
const OPENING_BYTES = 16 * 1024 * 1024

/**
 * Rows in LevelDB, every write synced. After a failed write LevelDB may have lost its place in its own log (a record
 * cut short by a full disk makes it misread those that follow), so nothing more is written before it was opened anew.
 * Reading goes on, which matters on a full disk: there is no opening then.
 */
export class LevelStore implements KeyValueStore {
  readonly #folder: string
  #database: Promise<Database>
  /** What the write failed with that left the log in doubt. */
  #failure: Error | undefined
  #closed = false

  private constructor(folder: string, database: Database) {
    this.#folder = folder
    this.#database = Promise.resolve(database)
  }

  /** @throws NodeAlreadyRunningError another process has it open */
  static async open(folder: string): Promise<LevelStore> {
    return new LevelStore(folder, await openDatabase(folder))
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return plain((await this.#database).getSync(key))
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const database = await this.#database
    if (keys.length <= FEW_KEYS) return keys.map((key) => plain(database.getSync(key)))
    return (await database.getMany([...keys])).map((value) => plain(value))
  }

  async write(changes: readonly RowChange[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const database = await this.#database
    try {
      // Row by row: to take a list of operations apart costs the native side several times as much.
      const batch = database.batch()
      for (const { key, value } of changes) {
        if (value === undefined) batch.del(key)
        else batch.put(key, value)
      }
      await batch.write({ sync: true })
    } catch (error) {
      this.#failure = systemError(error)
      throw this.#failure
    }
  }

  async recover(): Promise<void> {
    if (this.#failure === undefined || this.#closed) return
    const { bavail, bsize } = await statfs(this.#folder)
    if (bavail * bsize < OPENING_BYTES) throw this.#failure
    this.#database = this.#reopen(this.#database)
    await this.#database
    this.#failure = undefined
  }

  async range({
    from,
    to,
    limit,
  }: {
    readonly from: Uint8Array
    readonly to: Uint8Array
    readonly limit: number
  }): Promise<Row[]> {
    const database = await this.#database
    const entries = await database.iterator({ gte: from, lt: to, limit }).all()
    return entries.map(([key, value]) => ({ key: plain(key), value: plain(value) }))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const database = await this.#database.catch(() => undefined)
    await database?.close()
  }

  async #reopen(database: Promise<Database>): Promise<Database> {
    // One that never opened has nothing to close.
    await (await database.catch(() => undefined))?.close()
    return await openDatabase(this.#folder)
  }
}

async function openDatabase(folder: string): Promise<Database> {
  const database: Database = new Level<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    // Shares are ciphertext: there is nothing to compress.
    compression: false,
  })
  try {
    await database.open()
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined
    if (systemCodeOf(cause) === 'LEVEL_LOCKED') throw new NodeAlreadyRunningError({ cause: error })
    throw systemError(error)
  }
  return database
}

/** LevelDB gives Buffers, whose `slice` shares memory where any other array's copies. */
function plain<T extends Uint8Array | undefined>(bytes: T): T | Uint8Array {
  if (bytes === undefined) return bytes
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** LevelDB's errors carry the system's only as words: "IO error: …/000005.log: No space left on device". */
function systemError(error: unknown): Error {
  const words = wordsOf(error)
  const code = systemWords.find(([phrase]) => words.includes(phrase))?.[1]
  if (code === undefined) return error instanceof Error ? error : new Error(words)
  return Object.assign(new Error(words, { cause: error }), { code })
}

const systemWords = [
  ['No space left on device', 'ENOSPC'],
  ['There is not enough space on the disk', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
  ['File too large', 'EFBIG'],
  ['Input/output error', 'EIO'],
  ['Read-only file system', 'EROFS'],
  ['Permission denied', 'EACCES'],
] as const

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${wordsOf(error.cause)}`
}
