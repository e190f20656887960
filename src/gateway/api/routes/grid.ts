import { Type } from 'typebox'
import { accountKeyOf } from '../../../capabilities/account.ts'
import { toHex } from '../../../foundation/bytes.ts'
import type { ApiContext, DaemonNode } from '../context.ts'
import { ApiError } from '../errors.ts'
import { FAILURES } from '../problem.ts'
import type { Server } from '../server.ts'

const GridStatus = Type.Object({
  id: Type.String(),
  name: Type.String(),
  nodes: Type.Array(
    Type.Object({
      key: Type.String(),
      name: Type.String(),
      zone: Type.String({ description: 'The household that it stands in.' }),
      capacityBytes: Type.Integer({ description: 'What it offers to the grid.' }),
      connected: Type.Boolean({ description: 'Whether there is a connection now.' }),
    }),
  ),
  sentBytes: Type.Integer(),
  receivedBytes: Type.Integer(),
})

const Members = Type.Object({
  members: Type.Array(
    Type.Object({
      account: Type.String(),
      name: Type.String(),
      role: Type.String(),
      status: Type.String(),
      you: Type.Boolean(),
      quotaBytes: Type.Union([Type.Integer(), Type.Null()]),
      devices: Type.Array(
        Type.Object({ key: Type.String(), name: Type.String(), use: Type.String() }),
      ),
    }),
  ),
})

/** Of the node: see docs/cli.md, `node status`. */
const NodeReport = Type.Object({}, { additionalProperties: true })

/** The grid, who belongs to it, and this home's own storage node. */
export function addGridRoutes(server: Server, context: ApiContext): void {
  const { client, account } = context
  server.get(
    '/v1/grid',
    {
      schema: {
        summary: 'The grid and its storage nodes, as this home knows them',
        response: { 200: GridStatus, ...FAILURES },
      },
    },
    () => {
      const { membership, network, file } = client
      const connected = new Set(network.connected())
      const { sentBytes, receivedBytes } = network.traffic()
      const nodes = membership.nodes.map(({ key, name, zone, capacityBytes }) => ({
        key,
        name,
        zone,
        capacityBytes,
        connected: connected.has(key) || key === network.self,
      }))
      return { id: toHex(membership.gridId), name: file.name, nodes, sentBytes, receivedBytes }
    },
  )
  server.get(
    '/v1/members',
    {
      schema: {
        summary: 'Who belongs to the grid, or did, with their devices',
        response: { 200: Members, ...FAILURES },
      },
    },
    () => {
      const own = toHex(accountKeyOf(account))
      const members = client.membership.members.map((member) => ({
        account: member.account,
        name: member.name,
        role: member.role,
        status: member.status,
        you: member.account === own,
        quotaBytes: member.quotaBytes ?? null,
        devices: member.devices.map(({ key, name, use }) => ({ key, name, use })),
      }))
      return { members }
    },
  )
  addNodeRoutes(server, context)
}

function addNodeRoutes(server: Server, context: ApiContext): void {
  const nodeOf = (): DaemonNode => {
    if (context.node === undefined) throw new ApiError('node-absent')
    return context.node
  }
  server.get(
    '/v1/node',
    {
      schema: {
        summary: "What this home's storage node keeps, for whom, and how it was looked after",
        response: { 200: NodeReport, ...FAILURES },
      },
    },
    async () => await nodeOf().status(),
  )
  server.post(
    '/v1/node/scrub',
    {
      schema: {
        summary: 'Have the node read and check all that it keeps',
        response: { 200: NodeReport, ...FAILURES },
      },
    },
    async () => await nodeOf().scrub(),
  )
  server.post(
    '/v1/node/collect',
    {
      schema: {
        summary: 'Have the node free what nobody leases any more',
        response: { 200: NodeReport, ...FAILURES },
      },
    },
    async () => await nodeOf().collect(),
  )
}
