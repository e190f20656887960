import { connect, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { EXIT } from '../../../src/cli/exit-codes.ts'
import { CliError } from '../../../src/cli/failures.ts'
import { askNode } from '../../../src/cli/node/operator-client.ts'
import { OperatorServer, type OperatorHandler } from '../../../src/cli/node/operator-server.ts'
import { MAX_CALL_BYTES } from '../../../src/cli/node/operator-wire.ts'
import { deferred } from '../../../src/foundation/concurrency.ts'
import { systemClock, systemRandomness } from '../../../src/foundation/system.ts'
import type { RunningFile } from '../../../src/home/running-file.ts'

const { signal } = new AbortController()
const open = async (handler: OperatorHandler): Promise<OperatorServer> =>
  await OperatorServer.open(handler, { clock: systemClock, randomness: systemRandomness })

function running({ port, key }: { port: number; key: string }): RunningFile {
  return { pid: 1, birth: '', peerId: '', addresses: [], operator: { port, key } }
}

/** What comes back to a caller that sends this, until the node ends the connection. */
async function sent(port: number, text: string): Promise<string> {
  const socket: Socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  let received = ''
  socket.on('data', (chunk) => (received += chunk.toString()))
  socket.write(text)
  await new Promise((resolve) => socket.once('close', resolve))
  return received
}

describe('orders to a running node', () => {
  it('are answered with events, then the result', async () => {
    await using server = await open((request, { emit }) => {
      emit(1)
      emit({ two: 2 })
      return Promise.resolve({ did: request.op })
    })
    const events: unknown[] = []
    const onEvent = (event: unknown): void => void events.push(event)
    const result = await askNode(running(server), { op: 'collect' }, { signal, onEvent })
    expect({ events, result }).toEqual({ events: [1, { two: 2 }], result: { did: 'collect' } })
  })

  it('fail with the code and sentence of what failed', async () => {
    const failure = { exit: EXIT.config, code: 'no-grid', message: 'There is none.' }
    await using server = await open(() => Promise.reject(new CliError(failure)))
    await expect(askNode(running(server), { op: 'status' }, { signal })).rejects.toMatchObject(
      failure,
    )
  })

  it('are not carried out for whoever lacks the key, or sends something else', async () => {
    let orders = 0
    await using server = await open(() => Promise.resolve(orders++))
    const { port, key } = server
    const order = (shown: unknown): string =>
      `${JSON.stringify({ key: shown, request: { op: 'status' } })}\n`
    for (const text of [
      order('0'.repeat(64)),
      order(key.slice(0, 63)),
      order(null),
      'GET / HTTP/1.1\r\n\r\n',
      '{}\n',
      '[]\n',
      'x'.repeat(2 * MAX_CALL_BYTES),
    ]) {
      expect(await sent(port, text)).toBe('')
    }
    expect(orders).toBe(0)
    await expect(
      askNode(running({ port, key: 'f'.repeat(64) }), { op: 'status' }, { signal }),
    ).rejects.toMatchObject({ code: 'node-does-not-answer' })
    expect(await sent(port, order(key))).toContain('result')
  })

  it('are given up when their caller goes, and when the node ends', async () => {
    const begun = deferred()
    const ended = deferred<unknown>()
    const server = await open(async (_, context) => {
      begun.resolve()
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve))
      ended.resolve(context.signal.reason)
    })
    const controller = new AbortController()
    const asked = askNode(running(server), { op: 'scrub' }, { signal: controller.signal })
    await begun.promise
    controller.abort(new Error('enough'))
    await expect(asked).rejects.toThrow('enough')
    await ended.promise
    const other = askNode(running(server), { op: 'scrub' }, { signal })
    const failed = expect(other).rejects.toMatchObject({ code: 'node-does-not-answer' })
    await server[Symbol.asyncDispose]()
    await failed
  })
})
