import { createServer } from 'node:net'
import process from 'node:process'

/**
 * The other end of the TCP measurement, a process of its own: takes what one connection sends, answers with one byte
 * when it has ended, and then reports the processor time this took.
 */
const server = createServer({ allowHalfOpen: true }, (socket) => {
  const before = process.cpuUsage()
  socket.on('data', () => undefined)
  socket.on('end', () => {
    socket.end('.')
    const { user, system } = process.cpuUsage(before)
    process.send?.({ cpuS: (user + system) / 1e6 })
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined })
})
process.on('disconnect', () => process.exit())
