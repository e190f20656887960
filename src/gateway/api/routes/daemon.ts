import { Type, type Static } from 'typebox'
import { accountKeyOf } from '../../../capabilities/account.ts'
import { toHex } from '../../../foundation/bytes.ts'
import type { ApiContext } from '../context.ts'
import type { DaemonMetrics } from '../metrics.ts'
import { FAILURES } from '../problem.ts'
import type { Server } from '../server.ts'
import { syncReports } from '../../daemon/sync-report.ts'
import { SyncStatus } from '../sync-status.ts'

export const DaemonStatus = Type.Object({
  version: Type.String(),
  pid: Type.Integer(),
  started: Type.String({ description: 'ISO 8601' }),
  home: Type.String(),
  grid: Type.String(),
  account: Type.String({ description: 'The public key of the account, as hexadecimal digits.' }),
  connected: Type.Integer({ description: 'Members with an open connection.' }),
  node: Type.Union([
    Type.Object({ addresses: Type.Array(Type.String()) }),
    Type.Null({ description: 'The daemon runs no storage node.' }),
  ]),
  caring: Type.Boolean({ description: 'Whether it looks after what the home keeps on the grid.' }),
  syncs: Type.Array(SyncStatus),
})

export type DaemonStatus = Static<typeof DaemonStatus>

/** What concerns the daemon as a whole. */
export function addDaemonRoutes(
  server: Server,
  { context, metrics }: { context: ApiContext; metrics: DaemonMetrics },
): void {
  server.get(
    '/v1/status',
    {
      schema: {
        summary: 'What the daemon does and how it fares',
        response: { 200: DaemonStatus, ...FAILURES },
      },
    },
    async () => {
      const { client, files, version, startedMs, node, account, isCaring } = context
      return {
        version,
        pid: process.pid,
        started: new Date(startedMs).toISOString(),
        home: files.home,
        grid: client.file.name,
        account: toHex(accountKeyOf(account)),
        connected: client.network.connected().length,
        node: node === undefined ? null : { addresses: [...node.addresses()] },
        caring: isCaring,
        syncs: await syncReports(context),
      }
    },
  )
  server.post(
    '/v1/stop',
    {
      schema: {
        summary: 'End the daemon in good order',
        response: { 202: Type.Object({ pid: Type.Integer() }), ...FAILURES },
      },
    },
    async (_, reply) => {
      reply.raw.once('finish', () => context.stop())
      return await reply.code(202).send({ pid: process.pid })
    },
  )
  server.get(
    '/v1/openapi.json',
    {
      schema: {
        summary: 'This description, in OpenAPI 3.1',
        response: { 200: Type.Object({}, { additionalProperties: true }), ...FAILURES },
      },
    },
    () => server.swagger() as unknown as Record<string, unknown>,
  )
  server.get(
    '/metrics',
    {
      schema: {
        summary: 'Counts, in the format of Prometheus',
        produces: ['text/plain'],
        response: { 200: Type.String(), ...FAILURES },
      },
    },
    async (_, reply) => await reply.type(metrics.contentType).send(await metrics.text()),
  )
}
