import type { AddResult, Membership } from '../../protocol/membership/membership.ts'

/** Puts all statements of a membership on disk; resolves once they would survive a power cut. */
export type SaveMembership = (membership: Membership) => Promise<void>

/** A membership, and what was learnt of it on disk: whoever is told that something is kept can rely on it. */
export class MembershipKeeper {
  readonly membership: Membership
  readonly #save: SaveMembership
  #unsaved = false
  #saving: Promise<void> | undefined

  constructor(membership: Membership, save: SaveMembership) {
    this.membership = membership
    this.#save = save
  }

  /**
   * Adds statements at once, and resolves when they are on disk.
   * @throws whatever saving throws; what was not saved is tried again with the next statements
   */
  async learn(statements: readonly Uint8Array[]): Promise<AddResult> {
    const result = this.membership.add(statements)
    if (result.added.length > 0) this.#unsaved = true
    await this.saved()
    return result
  }

  /** Resolves once everything is on disk. */
  async saved(): Promise<void> {
    // One at a time; what comes while one is being written goes into the next, together.
    while (this.#unsaved || this.#saving !== undefined) {
      this.#saving ??= this.#saveNow().finally(() => (this.#saving = undefined))
      await this.#saving
    }
  }

  async #saveNow(): Promise<void> {
    this.#unsaved = false
    try {
      await this.#save(this.membership)
    } catch (error) {
      this.#unsaved = true
      throw error
    }
  }
}
