/** How much is measured, and how often. */
export interface Scale {
  readonly fileBytes: number
  readonly largeFileBytes: number
  readonly smallFiles: number
  readonly folder: FolderScale
  /** Of each row but those of the large file, which run once. */
  readonly runs: number
  readonly connectedReads: number
}

export interface FolderScale {
  readonly entries: number
  readonly manyEntries: number
  /** Entries of a directory that is renamed, and files of a tree that is put. */
  readonly treeFiles: number
  readonly overwrites: number
  /** Before those that are measured warm. */
  readonly overwritesBefore: number
  readonly created: number
  /** Of rows that measure one change. */
  readonly changes: number
}

export const FULL_SCALE: Scale = {
  fileBytes: 100 * 2 ** 20,
  largeFileBytes: 2 ** 30,
  smallFiles: 1000,
  folder: {
    entries: 1000,
    manyEntries: 100_000,
    treeFiles: 10_000,
    overwrites: 200,
    overwritesBefore: 1000,
    created: 400,
    changes: 21,
  },
  runs: 3,
  connectedReads: 51,
}

export const QUICK_SCALE: Scale = {
  fileBytes: 10 * 2 ** 20,
  largeFileBytes: 64 * 2 ** 20,
  smallFiles: 100,
  folder: {
    entries: 100,
    manyEntries: 1000,
    treeFiles: 100,
    overwrites: 20,
    overwritesBefore: 100,
    created: 40,
    changes: 3,
  },
  runs: 1,
  connectedReads: 11,
}

export const BLOCK_BYTES = 2 ** 20
export const SMALL_FILE_BYTES = 4096
/** Of ten, before a repair. */
export const NODES_LOST = 4
