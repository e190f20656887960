import { verifyKeyOf } from '../crypto/block-keys.ts'
import type { BlockId } from '../protocol/block-id.ts'

/** A power, told apart by kind: whoever holds the value holds the power, and nothing else is asked. */
export type Capability = FileReadCapability | FileVerifyCapability | LiteralCapability

/** To read one file whose content never changes. */
export interface FileReadCapability {
  readonly kind: 'file-read'
  /** K of the file's topmost block, 32 bytes. */
  readonly key: Uint8Array
  readonly id: BlockId
}

/** To check that one file's shares are there, keep them leased and repair them, without reading it. */
export interface FileVerifyCapability {
  readonly kind: 'file-verify'
  /** Kv of the file's topmost block, 32 bytes. */
  readonly verifyKey: Uint8Array
  readonly id: BlockId
}

/** A file so small that its capability is its content: no node stores any of it. */
export interface LiteralCapability {
  readonly kind: 'literal'
  /** At most {@link LITERAL_MAX_BYTES}. */
  readonly bytes: Uint8Array
}

export const CAPABILITY_KEY_BYTES = 32

/** A literal up to this size makes no longer text than the capability of a stored file. */
export const LITERAL_MAX_BYTES = 64

/** Gives up the power to read. The derivation is one-way, so nothing gives it back. */
export function toVerify({ key, id }: FileReadCapability): FileVerifyCapability {
  return { kind: 'file-verify', verifyKey: verifyKeyOf(key), id }
}
