import { Type, type Static } from 'typebox'
import type { VerifyCapability } from '../../../capabilities/capability.ts'
import type { CheckReport } from '../../../grid/check.ts'
import type { TreeReport } from '../../../grid/maintenance/report.ts'
import { isTree } from '../../../grid/maintenance/tree.ts'
import { verifyOf } from '../../../library/care.ts'
import type { NodeKey } from '../../../protocol/node-key.ts'
import type { ApiContext } from '../context.ts'
import { PlaceRef } from '../place-schema.ts'
import { findPlace, shownAt, viewAt, type FoundPlace } from '../../places.ts'
import { exactly } from '../exactly.ts'
import { FAILURES } from '../problem.ts'
import { Operation, progressOf } from '../progress.ts'
import { signalOf } from '../request-signal.ts'
import type { Server } from '../server.ts'

const Report = Type.Object({
  recoverable: Type.Enum(['yes', 'no', 'unknown'], {
    description: 'Unknown: too little was found, and nodes that may have more did not answer.',
  }),
  healthy: Type.Boolean({ description: 'Every share and every copy of a slot is there.' }),
  blocks: Type.Integer(),
  sharesMissing: Type.Integer(),
  copiesMissing: Type.Integer(),
  nodesAnswered: Type.Array(Type.String()),
  nodesSilent: Type.Array(Type.String()),
})
type Report = Static<typeof Report>

const Repaired = Type.Object({
  healthy: Type.Boolean(),
  blocksRepaired: Type.Integer(),
  sharesPlaced: Type.Integer(),
  sharesMissing: Type.Integer(),
  copiesPlaced: Type.Integer(),
})

const HEALTHY: Report = {
  recoverable: 'yes',
  healthy: true,
  blocks: 0,
  sharesMissing: 0,
  copiesMissing: 0,
  nodesAnswered: [],
  nodesSilent: [],
}

/** Whether what is stored is there, and making it whole. The power to verify is enough. */
export function addCareRoutes(server: Server, context: ApiContext): void {
  const { client } = context
  server.post(
    '/v1/check',
    {
      schema: {
        summary: 'Find out whether a file, or all that a folder leads to, is there',
        headers: Type.Object(Operation),
        body: exactly({
          place: PlaceRef,
          verify: Type.Optional(
            Type.Enum(['none', 'audit', 'full'], {
              default: 'none',
              description: 'Take nodes at their word; have them prove samples; or read every byte.',
            }),
          ),
        }),
        response: { 200: Report, ...FAILURES },
      },
    },
    async ({ body, headers }, reply) => {
      const signal = signalOf(reply, context.signal)
      const capability = await verifiableAt(await findPlace(body.place, context), context, signal)
      if (capability === undefined) return HEALTHY
      const onProgress = progressOf(context, headers['hayloft-operation'])
      const options = { verify: body.verify ?? 'none', signal, onProgress }
      const nameOf = client.nameOf.bind(client)
      return isTree(capability)
        ? treeReport(await client.grid.check(capability, options), nameOf)
        : fileReport(await client.grid.check(capability, options), nameOf)
    },
  )
  server.post(
    '/v1/repair',
    {
      schema: {
        summary: 'Make missing shares anew, and give nodes the copies of slots that they lack',
        headers: Type.Object(Operation),
        body: exactly({
          place: PlaceRef,
          verify: Type.Optional(Type.Enum(['audit', 'full'], { default: 'audit' })),
        }),
        response: { 200: Repaired, ...FAILURES },
      },
    },
    async ({ body, headers }, reply) => {
      const signal = signalOf(reply, context.signal)
      const capability = await verifiableAt(await findPlace(body.place, context), context, signal)
      const nothing = { blocksRepaired: 0, sharesPlaced: 0, sharesMissing: 0, copiesPlaced: 0 }
      if (capability === undefined) return { healthy: true, ...nothing }
      const onProgress = progressOf(context, headers['hayloft-operation'])
      const options = { verify: body.verify ?? 'audit', signal, onProgress }
      const repaired = isTree(capability)
        ? await client.grid.repair(capability, options)
        : await client.grid.repair(capability, options)
      return { ...nothing, ...repaired }
    },
  )
}

/** What is to be looked at so that a place can be read; undefined where no node stores any of it. */
async function verifiableAt(
  place: FoundPlace,
  context: ApiContext,
  signal: AbortSignal,
): Promise<VerifyCapability | undefined> {
  if (place.path.length === 0) {
    return place.capability.kind === 'literal' ? undefined : verifyOf(place.capability)
  }
  const view = await viewAt(place, context, signal)
  const { entry } = await shownAt(view, place.path)
  // So small a file is part of the directory that it is in.
  const isHeld = entry.kind === 'literal' || entry.kind === 'symlink'
  const path = isHeld ? place.path.slice(0, -1) : place.path
  const found = await view.capability(path, 'verify')
  return found.kind === 'literal' ? undefined : verifyOf(found)
}

type NameOf = (node: NodeKey) => string

function treeReport(report: TreeReport, nameOf: NameOf): Report {
  const { healthy, blocks, sharesMissing, copiesMissing } = report
  return {
    recoverable: verdictOf(report),
    healthy,
    blocks: blocks.total,
    sharesMissing,
    copiesMissing,
    nodesAnswered: report.nodesAnswered.map(nameOf),
    nodesSilent: report.nodesSilent.map(nameOf),
  }
}

function fileReport(report: CheckReport, nameOf: NameOf): Report {
  const { healthy, blocks, sharesTotal } = report
  return {
    recoverable: verdictOf(report),
    healthy,
    blocks: blocks.length,
    sharesMissing: blocks.reduce(
      (sum, { sharesSpread }) => sum + Math.max(0, sharesTotal - sharesSpread),
      0,
    ),
    copiesMissing: 0,
    nodesAnswered: report.nodesAnswered.map(nameOf),
    nodesSilent: report.nodesSilent.map(nameOf),
  }
}

function verdictOf({ recoverable }: Pick<TreeReport, 'recoverable'>): Report['recoverable'] {
  if (recoverable === 'unknown') return 'unknown'
  return recoverable ? 'yes' : 'no'
}
