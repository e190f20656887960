/**
 * Takes capabilities out of a text that is no result. They get there by mistake, such as one given where a file belongs
 * ("The file hayfile1… does not exist"), and errors end up in logs, screenshots and reports.
 */
export function withoutCapabilities(text: string): string {
  return text.replaceAll(CAPABILITY, (_, kind: string) => `${kind}1…`)
}

/** Anything that might be one: a mistyped capability still gives most of its key away. */
const CAPABILITY = /\b(hay[a-z]{1,17})1[a-z0-9]{6,}/gi

/** Whether there might be one in a text. */
export function holdsCapability(text: string): boolean {
  return text.search(CAPABILITY) !== -1
}
