/** What a watching thread is started with. */
export interface WatchRequest {
  readonly root: string
  /** A name in the root that is not watched. */
  readonly ignored: string
  /** Whether the system watches whole trees by itself. */
  readonly isRecursive: boolean
  readonly maxWatches: number
}

export type WatchMessage =
  | { readonly kind: 'ready'; readonly watches: number }
  /** In a directory; anywhere if none is named. */
  | { readonly kind: 'changed'; readonly directory?: string | undefined }
  /** Some directories are not watched. */
  | { readonly kind: 'degraded'; readonly why: string }
