import type { NodeFile } from '../../home/node-file.ts'

/** Whether nobody on another computer reaches what listens there. */
export function isLocalOnly(addresses: readonly string[]): boolean {
  return addresses.every((address) => /^\/(ip4\/127\.|ip6\/::1\/)/.test(address))
}

/** What to tell whoever sets a node up, if others will not reach it; undefined if they may. */
export function localOnlyAdvice({ listen }: Pick<NodeFile, 'listen'>): string | undefined {
  if (!isLocalOnly(listen)) return undefined
  return (
    'The node listens on this computer only, so friends elsewhere cannot reach it. For them: ' +
    '"hayloft node config --listen /ip4/0.0.0.0/tcp/4001", and start it again.'
  )
}
