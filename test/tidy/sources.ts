import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A file of the repository. */
export interface Source {
  /** From the repository's root, with forward slashes. */
  readonly path: string
  readonly text: string
}

export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** All files under the folders named whose names end in `ending`. */
export function readSources(folders: readonly string[], ending: string): Source[] {
  return folders
    .flatMap((folder) => pathsIn(folder))
    .filter((path) => path.endsWith(ending))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

/** Those of the files named, at the root, that are there. */
export function readTop(names: readonly string[]): Source[] {
  return names
    .filter((path) => existsSync(join(ROOT, path)))
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

/** Folders under `folder`, itself not included, that hold at least one file, at any depth. */
export function foldersIn(folder: string): string[] {
  const folders = pathsIn(folder).flatMap((path) => {
    const parts = path.split('/').slice(0, -1)
    return parts.map((_, at) => parts.slice(0, at + 1).join('/'))
  })
  return [...new Set(folders)].filter((path) => path.startsWith(`${folder}/`))
}

function pathsIn(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return []
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    return entry.isDirectory() ? pathsIn(path) : [path]
  })
}
