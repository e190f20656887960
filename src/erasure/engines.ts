import { createRequire } from 'node:module'
import type { ErasureEngine } from './engine.ts'
import { createNativeEngine } from './native-engine.ts'
import { portableEngine } from './portable-engine.ts'

/** The fastest engine there is here: the native one where its optional addon can be loaded, else the portable one. */
export function loadErasureEngine(): ErasureEngine {
  return loadNativeEngine() ?? portableEngine
}

/** @returns undefined where the optional addon @ronomon/reed-solomon is absent or cannot be loaded */
export function loadNativeEngine(): ErasureEngine | undefined {
  native ??= {
    engine: createNativeEngine(() => createRequire(import.meta.url)('@ronomon/reed-solomon')),
  }
  return native.engine
}

export { portableEngine } from './portable-engine.ts'

let native: { readonly engine: ErasureEngine | undefined } | undefined
