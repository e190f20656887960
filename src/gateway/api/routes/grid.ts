import { Type } from 'typebox'
import { memberAccountOf } from '../../../capabilities/grid-keys.ts'
import { toHex } from '../../../foundation/bytes.ts'
import { describeMember } from '../../../library/member-json.ts'
import type { ApiContext } from '../context.ts'
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

const OptionalText = Type.Union([Type.String(), Type.Null()])
const OptionalWhole = Type.Union([Type.Integer(), Type.Null()])

const Said = {
  status: Type.String(),
  name: Type.String(),
  role: Type.String(),
  quotaBytes: OptionalWhole,
  expires: OptionalText,
}

const Members = Type.Object({
  members: Type.Array(
    Type.Object({
      account: Type.String(),
      you: Type.Boolean(),
      ...Said,
      admitted: Type.Union([
        Type.Object({ at: OptionalText, by: OptionalText, invite: Type.String() }),
        Type.Null({ description: 'They came in by no invite.' }),
      ]),
      devices: Type.Array(
        Type.Object({
          key: Type.String(),
          name: Type.String(),
          use: Type.String(),
          zone: OptionalText,
          capacityBytes: OptionalWhole,
          addresses: Type.Array(Type.String()),
          announced: OptionalText,
        }),
      ),
      overruled: Type.Union([
        Type.Object(Said, {
          description: 'What another admin said at the same time and does not count.',
        }),
        Type.Null(),
      ]),
    }),
  ),
})

/** The grid, and who belongs to it. */
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
      const { membership } = client
      const reader = { membership, account: memberAccountOf(account) }
      return { members: membership.members.map((member) => describeMember(member, reader)) }
    },
  )
}
