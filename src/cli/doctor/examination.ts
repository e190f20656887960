import { access, constants, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCodeOf } from '../../foundation/error.ts'
import type { HomeFiles } from '../../home/layout.ts'
import type { NodeFile } from '../../home/node-file.ts'
import type { Diagnosis } from '../../network/paths/diagnosis.ts'

/** All that `hayloft doctor` looked at. */
export interface Examination {
  readonly home: string
  /** `node`: the one that runs here was asked. `stopped-node`: there is one, which does not run. */
  readonly role: 'client' | 'node' | 'stopped-node'
  readonly diagnosis: Diagnosis
  readonly disk: DiskState
  /** Of a node. */
  readonly settings: NodeFile | undefined
}

export interface DiskState {
  readonly path: string
  readonly freeBytes: number
  readonly writable: boolean
}

/** The disk that a home is on, or the nearest directory that is there. */
export async function diskOf({ home, store }: HomeFiles, isNode: boolean): Promise<DiskState> {
  for (let path = isNode ? store : home; ; path = dirname(path)) {
    try {
      const { bsize, bavail } = await statfs(path)
      const writable = await access(path, constants.W_OK).then(
        () => true,
        () => false,
      )
      return { path, freeBytes: bsize * bavail, writable }
    } catch (thrown) {
      if (systemCodeOf(thrown) !== 'ENOENT' || dirname(path) === path) throw thrown
    }
  }
}
