import type { CryptoBackend } from './backend.ts'
import { nodeBackend } from './node-backend.ts'

/** The one place that chooses an implementation. A build for browsers names the portable one here. */
export const backend: CryptoBackend = nodeBackend
