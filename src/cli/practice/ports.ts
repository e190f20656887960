import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

const HOST = '127.0.0.1'

/**
 * One free TCP port each, the wanted one where it is still free. All are held at the same time while choosing, so they
 * differ; they are let go before this resolves, so another program may in theory be quicker.
 */
export async function choosePorts(wanted: readonly (number | undefined)[]): Promise<number[]> {
  const servers = await Promise.all(wanted.map(async (port) => await occupy(port ?? 0)))
  const ports = servers.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  })
  await Promise.all(
    servers.map(async (server) => {
      server.close()
      await once(server, 'close')
    }),
  )
  return ports
}

/** One of a host, likewise. @throws whatever the system says of a host that is not there */
export async function choosePort(wanted: number | undefined, host: string): Promise<number> {
  const server = await occupy(wanted ?? 0, host)
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function occupy(port: number, host = HOST): Promise<ReturnType<typeof createServer>> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
    return server
  } catch (thrown) {
    if (port === 0) throw thrown
    return await occupy(0, host)
  }
}

export function listenAddress(port: number): string {
  return `/ip4/${HOST}/tcp/${port}`
}

/** The port of an address as {@link listenAddress} makes them. */
export function portOf(address: string | undefined): number | undefined {
  const digits = /\/tcp\/(\d+)/.exec(address ?? '')?.[1]
  const port = Number(digits)
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined
}
