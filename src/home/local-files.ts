import { readdir, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { AccountSecret } from '../capabilities/account.ts'
import { deriveKey, prf, sha256 } from '../crypto/hash.ts'
import { KEY_LABELS, TAGS } from '../crypto/tags.ts'
import { concatBytes, equalBytes, toHex, utf8, viewOf } from '../foundation/bytes.ts'
import type { Clock } from '../foundation/clock.ts'
import { HayloftError } from '../foundation/error.ts'
import { makePrivateDirectory, readIfThere, writePrivateFile } from './files.ts'

/** What changes whenever the content of a local file does, and costs no reading of it. */
export interface FileSignature {
  readonly sizeBytes: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly inode: bigint
}

/**
 * Which content local files had when they were last put or fetched, for one local directory and one place on the grid.
 * So what has not changed need not be read to be known.
 *
 * A file under `local-files/`, whose name and rows are keyed hashes: neither names nor contents can be told from it
 * without the account's secret.
 *
 *     file = rows ‖ SHA-256(rows)
 *     row  = PRF(key, "hayloft1/local-file", 0 ‖ path) 16 ‖ PRF(key, "hayloft1/local-file", 1 ‖ signature ‖ content) 16
 *
 * It is a cache: what is damaged, lost or too much for it is read again.
 */
export class LocalFiles {
  readonly #path: string
  readonly #key: Uint8Array
  readonly #clock: Clock
  readonly #rows = new Map<string, string>()
  #isChanged = false

  private constructor(path: string, { key, clock }: { key: Uint8Array; clock: Clock }) {
    this.#path = path
    this.#key = key
    this.#clock = clock
  }

  /** @param pair names the local directory and the place on the grid */
  static async open(
    directory: string,
    pair: string,
    { account, clock }: { readonly account: AccountSecret; readonly clock: Clock },
  ): Promise<LocalFiles> {
    const key = deriveKey(account, KEY_LABELS.accountLocalFiles)
    const name = toHex(prf(key, TAGS.localFile, utf8(pair)).subarray(0, ROW_PART_BYTES))
    const files = new LocalFiles(join(directory, name), { key, clock })
    await files.#load()
    return files
  }

  /** @param content tells contents apart: bytes that differ if they do */
  isUnchanged(path: string, signature: FileSignature, content: Uint8Array): boolean {
    return this.#rows.get(this.#pathRow(path)) === this.#stateRow(signature, content)
  }

  /**
   * A file that was written to just now may be written to again without any of its times changing. It is not remembered,
   * so it will be read again.
   */
  remember(path: string, signature: FileSignature, content: Uint8Array): void {
    const row = this.#pathRow(path)
    if (isRacy(signature, this.#clock.nowMs()) || this.#rows.size >= MAX_ROWS) {
      this.#isChanged = this.#rows.delete(row) || this.#isChanged
      return
    }
    const state = this.#stateRow(signature, content)
    if (this.#rows.get(row) === state) return
    this.#rows.set(row, state)
    this.#isChanged = true
  }

  /** That it cannot be written is no reason to fail. */
  async save(): Promise<void> {
    try {
      if (this.#isChanged) await this.#write()
      else await touch(this.#path, this.#clock)
      this.#isChanged = false
    } catch (thrown) {
      if (!(thrown instanceof HayloftError)) throw thrown
    }
  }

  async #load(): Promise<void> {
    const bytes = await readIfThere(this.#path).catch(() => undefined)
    if (bytes === undefined || bytes.length < CHECK_BYTES) return
    const rows = bytes.subarray(0, bytes.length - CHECK_BYTES)
    if (rows.length % ROW_BYTES !== 0) return
    if (!equalBytes(sha256(rows), bytes.subarray(rows.length))) return
    const text = Buffer.from(rows.buffer, rows.byteOffset, rows.length).toString('latin1')
    for (let at = 0; at < text.length; at += ROW_BYTES) {
      const middle = at + ROW_PART_BYTES
      this.#rows.set(text.slice(at, middle), text.slice(middle, at + ROW_BYTES))
    }
  }

  async #write(): Promise<void> {
    const directory = join(this.#path, '..')
    await makePrivateDirectory(directory)
    const parts = [...this.#rows].map(([path, state]) => path + state)
    const rows = new Uint8Array(Buffer.from(parts.join(''), 'latin1'))
    await writePrivateFile(this.#path, concatBytes([rows, sha256(rows)]))
    await dropOldest(directory)
  }

  #pathRow(path: string): string {
    return this.#part(OF_PATH, utf8(path))
  }

  #stateRow({ sizeBytes, mtimeNs, ctimeNs, inode }: FileSignature, content: Uint8Array): string {
    const signature = new Uint8Array(SIGNATURE_BYTES)
    const view = viewOf(signature)
    for (const [at, value] of [sizeBytes, mtimeNs, ctimeNs, inode].entries()) {
      view.setBigUint64(at * 8, BigInt.asUintN(64, value))
    }
    return this.#part(OF_STATE, signature, content)
  }

  #part(what: Uint8Array, ...message: Uint8Array[]): string {
    const hash = prf(this.#key, TAGS.localFile, what, ...message)
    return Buffer.from(hash.buffer, hash.byteOffset, ROW_PART_BYTES).toString('latin1')
  }
}

/** Whether one of its times is so close that another write may leave them all as they are (2 s on FAT), or yet to come. */
function isRacy({ mtimeNs, ctimeNs }: FileSignature, nowMs: number): boolean {
  const [mtimeMs, ctimeMs] = [Number(mtimeNs / NS_PER_MS), Number(ctimeNs / NS_PER_MS)]
  return Math.abs(nowMs - mtimeMs) < COARSEST_TIME_MS || ctimeMs > nowMs - COARSEST_TIME_MS
}

/** Which pairs are used is told by their times. */
async function touch(path: string, clock: Clock): Promise<void> {
  const nowS = clock.nowMs() / 1000
  await utimes(path, nowS, nowS).catch(() => undefined)
}

async function dropOldest(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => [])
  if (names.length <= MAX_PAIRS) return
  const found = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, name)
      return { path, mtimeMs: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 }
    }),
  )
  const oldest = found.sort((a, b) => a.mtimeMs - b.mtimeMs).slice(0, names.length - MAX_PAIRS)
  for (const { path } of oldest) await rm(path, { force: true }).catch(() => undefined)
}

const OF_PATH = Uint8Array.of(0)
const OF_STATE = Uint8Array.of(1)
const ROW_PART_BYTES = 16
const ROW_BYTES = 2 * ROW_PART_BYTES
const CHECK_BYTES = 32
const SIGNATURE_BYTES = 32
const NS_PER_MS = 1_000_000n
const COARSEST_TIME_MS = 2_000
/** 32 MiB on disk, and some three times that in memory. */
const MAX_ROWS = 2 ** 20
/** Local directories that somebody puts again and again are few. */
const MAX_PAIRS = 64
