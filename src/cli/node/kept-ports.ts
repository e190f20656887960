import { messageOf, systemCodeOf } from '../../foundation/error.ts'
import { readJsonFile, writeJsonFile } from '../../home/json-file.ts'
import type { HomeFiles } from '../../home/layout.ts'
import { choosePort } from '../practice/ports.ts'

const FORMAT = { format: 'hayloft-ports', version: 1 }

/**
 * Where to listen: as the settings say, but in place of port 0 the port of the last time, if it is still free. Others remember
 * where a node was. Two that were started anew at once and both listened elsewhere would never find each other again.
 */
export async function withKeptPorts(
  { ports: path }: Pick<HomeFiles, 'ports'>,
  listen: readonly string[],
): Promise<string[]> {
  if (!listen.some((address) => ANY_PORT.test(address))) return [...listen]
  const before = await readPorts(path)
  const now = new Map<string, number>()
  const addresses: string[] = []
  for (const address of listen) {
    const host = ANY_PORT.exec(address)?.[1]
    // On a host that is not there, listening says what is wrong.
    const port = host && (await choosePort(before.get(address), host).catch(() => undefined))
    if (port === undefined || port === '') {
      addresses.push(address)
      continue
    }
    now.set(address, port)
    addresses.push(address.replace('/tcp/0', `/tcp/${port}`))
  }
  const isSame = now.size === before.size && [...now].every(([at, port]) => before.get(at) === port)
  // Without it the node runs as well, and at other ports the next time.
  if (!isSame)
    await writeJsonFile(path, FORMAT, { ports: Object.fromEntries(now) }).catch(() => undefined)
  return addresses
}

/** Whether somebody else has taken the port in the meantime. */
export function isPortTaken(thrown: unknown): boolean {
  return systemCodeOf(thrown) === 'EADDRINUSE' || messageOf(thrown).includes('EADDRINUSE')
}

/** A TCP address of a host, by number, with any port. */
const ANY_PORT = /^\/ip[46]\/([^/]+)\/tcp\/0(?=\/|$)/

/** A cache: one that cannot be used is none. */
async function readPorts(path: string): Promise<Map<string, number>> {
  const file = await readJsonFile(path, FORMAT).catch(() => undefined)
  const ports = new Map<string, number>()
  if (file?.has('ports') !== true) return ports
  for (const [address, port] of file.entries('ports')) {
    if (typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65_536) {
      ports.set(address, port)
    }
  }
  return ports
}
