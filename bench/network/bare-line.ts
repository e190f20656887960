import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import process from 'node:process'
import { systemClock } from '../../src/foundation/system.ts'

/**
 * What a line carries with nothing but TCP, as a program of its own at either end: `serve PORT`, and at the other end
 * `up|down HOST,HOST… PORT BYTES`, which shares the bytes out to one connection each, and prints the seconds it took.
 *
 * The one that asks sends a line `up` or `down BYTES`; whoever receives the bytes says so by one byte at their end.
 */
const [verb = '', ...words] = process.argv.slice(2)
if (verb === 'serve') serve(Number(words[0]))
else await transfer(verb, words)

function serve(port: number): void {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.once('data', (first) => {
      const [direction, bytes] = first.toString('latin1').split(' ')
      if (direction === 'down') void send(socket, Number.parseInt(bytes ?? '', 10))
      else socket.on('data', () => undefined).on('end', () => socket.end('.'))
    })
    socket.on('error', () => undefined)
  })
  server.listen(port, '0.0.0.0', () => {
    console.log('listening')
  })
}

async function transfer(direction: string, words: readonly string[]): Promise<void> {
  const [hosts = '', port, bytes] = words
  const each = Math.ceil(Number(bytes) / hosts.split(',').length)
  const startMs = systemClock.monotonicMs()
  await Promise.all(
    hosts.split(',').map(async (host) => {
      const socket = connect({ host, port: Number(port), allowHalfOpen: true })
      await once(socket, 'connect')
      socket.write(`${direction} ${each}\n`)
      if (direction === 'up') await send(socket, each)
      await once(socket.resume(), 'end')
      socket.destroy()
    }),
  )
  console.log((systemClock.monotonicMs() - startMs) / 1000)
}

async function send(socket: Socket, bytes: number): Promise<void> {
  const piece = new Uint8Array(64 * 1024)
  for (let sent = 0; sent < bytes; sent += piece.length) {
    const last = Math.min(piece.length, bytes - sent)
    if (!socket.write(piece.subarray(0, last))) await once(socket, 'drain')
  }
  socket.end()
}
