import { multiaddr } from '@multiformats/multiaddr'

/** Whether a text is a multiaddr at all. Whether a host can listen there shows when it does. */
export function isMultiaddr(text: string): boolean {
  try {
    return text.startsWith('/') && multiaddr(text).getComponents().length > 0
  } catch {
    return false
  }
}
