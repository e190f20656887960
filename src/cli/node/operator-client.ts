import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { RunningFile } from '../../home/running-file.ts'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import type { OperatorCall, OperatorLine, OperatorRequest } from './operator-wire.ts'

/** Gives an order to a node that runs on this machine. @throws CliError, with the code of what the node failed with */
export async function askNode(
  running: RunningFile,
  request: OperatorRequest,
  {
    signal,
    onEvent,
  }: { readonly signal: AbortSignal; readonly onEvent?: (event: unknown) => void },
): Promise<unknown> {
  const { operator } = running
  if (operator === undefined) throw noAnswer('it is of an older Hayloft; start it again')
  signal.throwIfAborted()
  const socket = connect(operator.port, '127.0.0.1')
  const onAbort = (): void => void socket.destroy()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await once(socket, 'connect')
    const call: OperatorCall = { key: operator.key, request }
    socket.write(`${JSON.stringify(call)}\n`)
    for await (const text of linesOf(socket)) {
      const line = JSON.parse(text) as OperatorLine
      if (line.kind === 'result') return line.result
      if (line.kind === 'event') onEvent?.(line.event)
      else throw new CliError(line)
    }
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof CliError) throw cause
    throw noAnswer('it does not answer', { cause })
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
  }
  signal.throwIfAborted()
  throw noAnswer('it ended before it had answered')
}

/** Not readline's, which waits for good where a connection breaks. */
async function* linesOf(socket: Socket): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of socket.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

function noAnswer(why: string, options?: ErrorOptions): CliError {
  return new CliError(
    {
      exit: EXIT.io,
      code: 'node-does-not-answer',
      message: `A node runs in this home, but ${why}.`,
    },
    options,
  )
}
