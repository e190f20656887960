/** How much is measured, and how often. */
export interface Scale {
  readonly fileBytes: number
  readonly largeFileBytes: number
  readonly smallFiles: number
  /** Of each row but those of the large file, which run once. */
  readonly runs: number
  readonly connectedReads: number
}

export const FULL_SCALE: Scale = {
  fileBytes: 100 * 2 ** 20,
  largeFileBytes: 2 ** 30,
  smallFiles: 1000,
  runs: 3,
  connectedReads: 51,
}

export const QUICK_SCALE: Scale = {
  fileBytes: 10 * 2 ** 20,
  largeFileBytes: 64 * 2 ** 20,
  smallFiles: 100,
  runs: 1,
  connectedReads: 11,
}

export const BLOCK_BYTES = 2 ** 20
export const SMALL_FILE_BYTES = 4096
/** Of ten, before a repair. */
export const NODES_LOST = 4
