import { join } from 'node:path'
import type { Name } from '../../../folders/names.ts'
import { pathOf, type PathText } from '../trees.ts'
import { diskName } from './disk-names.ts'

/** Where paths of the grid lie on the disk. Names that the disk has in another form than it would be written are remembered. */
export class DiskPaths {
  readonly root: string
  readonly platform: NodeJS.Platform
  readonly #seen = new Map<PathText, string>()

  constructor(root: string, platform: NodeJS.Platform) {
    this.root = root
    this.platform = platform
  }

  /** An absolute path. It lies in the root, since names hold no separators and are neither `.` nor `..`. */
  of(path: PathText): string {
    if (this.#seen.size === 0 && this.platform !== 'win32') return join(this.root, path)
    const names = pathOf(path)
    let here = '' as PathText
    const parts = names.map((name) => {
      here = (here === '' ? name : `${here}/${name}`) as PathText
      return this.#seen.get(here) ?? diskName(name, this.platform)
    })
    return join(this.root, ...parts)
  }

  /** A scan came upon `raw` at a path. */
  saw(path: PathText, name: Name, raw: string): void {
    if (raw === diskName(name, this.platform)) this.#seen.delete(path)
    else this.#seen.set(path, raw)
  }
}
