import { Type } from 'typebox'
import type { Capability } from '../../../capabilities/capability.ts'
import { describe } from '../../../capabilities/describe.ts'
import { formatCapability, parseCapability } from '../../../capabilities/text.ts'
import { weakenedTo } from '../../../capabilities/weakened.ts'
import { PowerMissingError } from '../../../folders/service/errors.ts'
import type { ApiContext } from '../context.ts'
import { CapabilityText, PlaceRef } from '../place-schema.ts'
import { findPlace, unsuitable, viewAt } from '../../places.ts'
import { exactly } from '../exactly.ts'
import { FAILURES } from '../problem.ts'
import { signalOf } from '../request-signal.ts'
import type { Server } from '../server.ts'

const Power = Type.Enum(['write', 'read', 'verify'])
const Given = Type.Object({ kind: Type.String(), capability: Type.String() })

/** What capabilities let their holders do, and weaker ones. */
export function addCapabilityRoutes(server: Server, context: ApiContext): void {
  server.post(
    '/v1/capabilities/explain',
    {
      schema: {
        summary: 'What whoever has a capability can do, and what not',
        body: exactly({ capability: CapabilityText }),
        response: {
          200: Type.Object({
            kind: Type.String(),
            title: Type.String(),
            grants: Type.Array(Type.String()),
            withholds: Type.Array(Type.String()),
          }),
          ...FAILURES,
        },
      },
    },
    ({ body }) => {
      const { kind, title, grants, withholds } = describe(parseCapability(body.capability.trim()))
      return { kind, title, grants: [...grants], withholds: [...withholds] }
    },
  )
  server.post(
    '/v1/capabilities/weaken',
    {
      schema: {
        summary: 'The same capability with less power; no node is asked',
        body: exactly({ capability: CapabilityText, to: Power }),
        response: { 200: Given, ...FAILURES },
      },
    },
    ({ body }) => told(weakened(parseCapability(body.capability.trim()), body.to)),
  )
  server.post(
    '/v1/capabilities/of',
    {
      schema: {
        summary:
          'The capability of what is at a place: of a directory as it is now, of all else for good',
        body: exactly({ place: PlaceRef, power: Power }),
        response: { 200: Given, ...FAILURES },
      },
    },
    async ({ body }, reply) => {
      const place = await findPlace(body.place, context)
      if (place.path.length === 0) return told(weakened(place.capability, body.power))
      const view = await viewAt(place, context, signalOf(reply, context.signal))
      return told(await view.capability(place.path, body.power))
    },
  )
}

function told(capability: Capability): { kind: string; capability: string } {
  return { kind: capability.kind, capability: formatCapability(capability) }
}

/** @throws PowerMissingError where it has less power already */
function weakened(given: Capability, power: 'write' | 'read' | 'verify'): Capability {
  const weaker = weakenedTo(given, power)
  if (weaker === 'too-weak') throw tooWeak()
  if (weaker === 'nothing-to-verify') throw unsuitable(given, 'something that nodes store')
  return weaker
}

function tooWeak(): PowerMissingError {
  return new PowerMissingError(
    'The capability has less power than that, and none can be made stronger. Ask whoever gave it to you for another one.',
  )
}
