import type { Disk, KeyValueStore, ShareFiles } from '../../src/storage-node/disk.ts'

/** A disk that counts what it has to make durable. */
export function countingDisk(disk: Disk): { disk: Disk; counts: { rows: number; files: number } } {
  const counts = { rows: 0, files: 0 }
  const { rows, files } = disk
  const counted = {
    rows: overriding<KeyValueStore>(rows, {
      write: (changes) => {
        counts.rows++
        return rows.write(changes)
      },
    }),
    files: overriding<ShareFiles>(files, {
      write: (group) => {
        counts.files++
        return files.write(group)
      },
    }),
    [Symbol.asyncDispose]: () => disk[Symbol.asyncDispose](),
  }
  return { disk: counted, counts }
}

/** A disk that fails as told: `fault` names the error code of the next writes, or undefined. */
export function failingDisk(
  disk: Disk,
  fault: (where: 'rows' | 'files') => string | undefined,
): Disk {
  const { rows, files } = disk
  const failIf = (where: 'rows' | 'files'): void => {
    const code = fault(where)
    if (code !== undefined) throw Object.assign(new Error(`${code}: injected`), { code })
  }
  return {
    rows: overriding<KeyValueStore>(rows, {
      write: async (changes) => {
        failIf('rows')
        await rows.write(changes)
      },
    }),
    files: overriding<ShareFiles>(files, {
      write: async (group) => {
        // As a real one does: the first files are there before it fails.
        if (fault('files') !== undefined) await files.write(group.slice(0, group.length >> 1))
        failIf('files')
        await files.write(group)
      },
    }),
    [Symbol.asyncDispose]: () => disk[Symbol.asyncDispose](),
  }
}

/** All methods of `whole`, but for some. */
function overriding<T extends object>(whole: T, some: Partial<T>): T {
  return new Proxy(whole, {
    get(target, name) {
      const own = Reflect.get(some, name) as unknown
      if (own !== undefined) return own
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
