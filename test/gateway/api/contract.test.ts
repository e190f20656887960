import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CALL_TYPE, packMessage } from '../../../src/gateway/api/call-message.ts'
import { encodeRequest } from '../../../src/protocol/codec.ts'
import { temporaryFolder } from '../../support/temporary.ts'
import { ApiUnderTest, TOKEN, type Answer, type Asked } from './api-under-test.ts'
import { Description } from './description.ts'

let api: ApiUnderTest
let description: Description

beforeAll(async () => {
  api = await ApiUnderTest.start()
  description = new Description((await api.ask('/v1/openapi.json')).json)
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const JSON_TYPE = { 'content-type': 'application/json' }
const OCTETS = { 'content-type': 'application/octet-stream' }
const PATH = '?path=contract/file'
const place = { path: 'contract/file' }

const posted = (body: object): Asked => ({
  method: 'POST',
  headers: JSON_TYPE,
  body: JSON.stringify(body),
})
const bare: Asked = { method: 'POST' }

/** A good request of each operation, in an order in which they work; some take what earlier ones answered. */
function requests(
  known: Map<string, Answer>,
): [string, () => Promise<Asked & { path?: string }>][] {
  const jsonOf = (name: string): unknown => known.get(name)?.json
  const capability = (): string => (jsonOf('POST /v1/folders') as { capability: string }).capability
  const syncPath = (rest = ''): { path: string } => {
    const { sync } = jsonOf('POST /v1/syncs') as { sync: { id: string } }
    return { path: `/v1/syncs/${sync.id}${rest}` }
  }
  const call = (): Asked => ({
    method: 'POST',
    headers: {
      'content-type': CALL_TYPE,
      'hayloft-node': (jsonOf('GET /v1/grid') as { nodes: { key: string }[] }).nodes[0]?.key ?? '',
    },
    body: packMessage(encodeRequest({ op: 'hello' })),
  })
  const plain = (asked: Asked & { path?: string }) => async () => await Promise.resolve(asked)
  return [
    ['GET /v1/status', plain({})],
    ['GET /v1/openapi.json', plain({})],
    ['GET /metrics', plain({})],
    [
      'PUT /v1/files/content',
      plain({ method: 'PUT', headers: OCTETS, body: 'hay', path: `/v1/files/content${PATH}` }),
    ],
    ['GET /v1/files/content', plain({ path: `/v1/files/content${PATH}` })],
    ['HEAD /v1/files/content', plain({ method: 'HEAD', path: `/v1/files/content${PATH}` })],
    ['POST /v1/files', plain({ method: 'POST', headers: OCTETS, body: 'straw' })],
    ['GET /v1/folders/entries', plain({ path: '/v1/folders/entries?path=contract&limit=5' })],
    ['GET /v1/folders/entry', plain({ path: `/v1/folders/entry${PATH}` })],
    ['POST /v1/folders', plain(bare)],
    ['POST /v1/folders/make-directory', plain(posted({ place: { path: 'contract/dir' } }))],
    [
      'POST /v1/folders/link',
      async () =>
        await plain(posted({ place: { path: 'contract/linked' }, target: capability() }))(),
    ],
    ['POST /v1/folders/copy', plain(posted({ from: place, to: { path: 'contract/copy' } }))],
    [
      'POST /v1/folders/move',
      plain(posted({ from: { path: 'contract/copy' }, to: { path: 'contract/moved' } })),
    ],
    ['POST /v1/folders/remove', plain(posted({ place: { path: 'contract/moved' } }))],
    ['POST /v1/folders/restore', plain(posted({ place: { path: 'contract/moved' } }))],
    ['GET /v1/folders/history', plain({ path: `/v1/folders/history${PATH}` })],
    [
      'POST /v1/capabilities/explain',
      async () => await plain(posted({ capability: capability() }))(),
    ],
    [
      'POST /v1/capabilities/weaken',
      async () => await plain(posted({ capability: capability(), to: 'read' }))(),
    ],
    ['POST /v1/capabilities/of', plain(posted({ place, power: 'read' }))],
    ['POST /v1/check', plain(posted({ place: { path: 'contract' } }))],
    ['POST /v1/repair', plain(posted({ place: { path: 'contract' } }))],
    ['GET /v1/grid', plain({})],
    ['GET /v1/members', plain({})],
    ['POST /v1/grid/call', async () => await Promise.resolve(call())],
    ['GET /v1/node', plain({})],
    ['POST /v1/node/scrub', plain(bare)],
    ['POST /v1/node/collect', plain(bare)],
    ['GET /v1/node/config', plain({})],
    [
      'PATCH /v1/node/config',
      plain({ ...posted({ zone: 'the barn', accountQuotaBytes: null }), method: 'PATCH' }),
    ],
    ['POST /v1/node/drain', plain(bare)],
    ['DELETE /v1/node/drain', plain({ method: 'DELETE' })],
    [
      'POST /v1/syncs',
      async () => {
        const directory = join(await temporaryFolder(), 'synced')
        await mkdir(directory)
        // To read only, so that there is something to revert.
        const { capability: reader } = jsonOf('POST /v1/capabilities/weaken') as {
          capability: string
        }
        return posted({ directory, place: { capability: reader } })
      },
    ],
    ['GET /v1/syncs', plain({})],
    ['GET /v1/syncs/{id}', async () => await Promise.resolve(syncPath())],
    [
      'POST /v1/syncs/{id}/look',
      async () => await Promise.resolve({ ...bare, ...syncPath('/look') }),
    ],
    [
      'POST /v1/syncs/{id}/pause',
      async () => await Promise.resolve({ ...bare, ...syncPath('/pause') }),
    ],
    [
      'POST /v1/syncs/{id}/resume',
      async () => await Promise.resolve({ ...posted({}), ...syncPath('/resume') }),
    ],
    [
      'POST /v1/syncs/{id}/select',
      async () => await Promise.resolve({ ...posted({ except: ['a'] }), ...syncPath('/select') }),
    ],
    [
      'POST /v1/syncs/{id}/revert',
      async () => await Promise.resolve({ ...posted({}), ...syncPath('/revert') }),
    ],
    [
      'DELETE /v1/syncs/{id}',
      async () => await Promise.resolve({ method: 'DELETE', ...syncPath() }),
    ],
    ['POST /v1/stop', plain(bare)],
  ]
}

describe('the API', () => {
  it('answers each operation that it describes as it describes', async () => {
    const known = new Map<string, Answer>()
    for (const [name, make] of requests(known)) {
      const [method = '', template = ''] = name.split(' ')
      const { path = template, ...asked } = await make()
      const answer = await api.ask(path, { method, ...asked })
      known.set(name, answer)
      const about = `${name}: ${answer.status} ${answer.bytes.toString('utf8').slice(0, 200)}`
      expect(answer.status, about).toBeLessThan(300)
      if (method !== 'HEAD') expect(description.flawsOf(name, answer), about).toEqual([])
    }
    const told = description.operations.filter((name) => name !== 'GET /v1/events').sort()
    expect([...known.keys()].filter((name) => !name.startsWith('HEAD')).sort()).toEqual(
      told.filter((name) => !name.startsWith('HEAD')),
    )
    expect(description.version).toBe('3.1.0')
    await expect.poll(() => api.stops).toBe(1)
  })

  it('is held against what it describes at all', async () => {
    const answer = await api.ask('/v1/status')
    expect(description.flawsOf('GET /v1/status', { ...answer, json: {} })).not.toEqual([])
    expect(description.flawsOf('GET /v1/status', { ...answer, status: 301 })).not.toEqual([])
  })

  it('describes each operation in words', () => {
    for (const name of description.operations) {
      if (!name.startsWith('HEAD')) expect(description.operation(name).summary, name).toBeTruthy()
    }
  })

  it('takes no capability in an address', () => {
    for (const name of description.operations) {
      const inAddress = (description.operation(name).parameters ?? []).filter(
        (parameter) => parameter.in !== 'header',
      )
      expect(inAddress.map((parameter) => parameter.name)).not.toContain('capability')
    }
  })
})

const CAPABILITY = `hayfolderread1${'q'.repeat(80)}`

describe('of each operation', () => {
  const refusals: [string, Asked, number, string][] = [
    ['without a token', { token: '' }, 401, 'token-wrong'],
    ['with another token', { token: 'b6'.repeat(32) }, 401, 'token-wrong'],
    ['with a token of another form', { token: 'none' }, 401, 'token-wrong'],
    ['by another name', { headers: { host: 'hayloft.example' } }, 403, 'host-refused'],
    ['at another port', { headers: { host: '127.0.0.1:1' } }, 403, 'host-refused'],
    ['from another origin', { headers: { origin: 'https://evil.example' } }, 403, 'origin-refused'],
    ['from no origin', { headers: { origin: 'null' } }, 403, 'origin-refused'],
    ['across sites', { headers: { 'sec-fetch-site': 'cross-site' } }, 403, 'origin-refused'],
  ]

  it.each(refusals)('nothing is done %s', async (_, asked, status, code) => {
    for (const name of description.operations) {
      const [method = '', template = ''] = name.split(' ')
      const path = template.replace('{id}', '0'.repeat(32))
      const answer = await api.ask(path, { method, ...asked })
      expect(answer.status, name).toBe(status)
      if (method !== 'HEAD') expect(answer.json, name).toMatchObject({ code, status })
      if (method !== 'HEAD') expect(description.flawsOf(name, answer), name).toEqual([])
    }
  })

  it.each([
    ['as it is', `?path=${CAPABILITY}`],
    ['under another name', `?x=${CAPABILITY}`],
    ['encoded', `?path=${encodeURIComponent(CAPABILITY).replace('hay', '%68%61%79')}`],
    ['in capitals', `?path=${CAPABILITY.toUpperCase()}`],
  ])('nothing is done with a capability in the address, %s', async (_, query) => {
    for (const name of description.operations) {
      const [method = '', template = ''] = name.split(' ')
      const path = `${template.replace('{id}', '0'.repeat(32))}${query}`
      const answer = await api.ask(path, { method })
      expect(answer.status, name).toBe(400)
      if (method !== 'HEAD') expect(answer.json).toMatchObject({ code: 'capability-in-url' })
      expect(answer.bytes.toString('utf8')).not.toMatch(/qqq/i)
    }
  })

  it.each([
    ['that is no JSON', { headers: JSON_TYPE, body: '{"place":' }, 400, 'request-invalid'],
    [
      'of another type',
      { headers: { 'content-type': 'text/plain' }, body: 'x' },
      400,
      'request-invalid',
    ],
    ['of other members', posted({ place: {}, to: 1, zzz: 1 }), 400, 'request-invalid'],
    ['that is a list', posted([]), 400, 'request-invalid'],
    [
      'that is too large',
      posted({ place: { path: 'x'.repeat(70_000) } }),
      413,
      'request-too-large',
    ],
    [
      'that makes prototypes',
      { headers: JSON_TYPE, body: '{"__proto__":{"x":1}}' },
      400,
      'request-invalid',
    ],
  ])('a body %s is refused', async (_, asked, status, code) => {
    const withBody = ['move', 'copy', 'remove', 'restore', 'link', 'make-directory'].map(
      (each) => `/v1/folders/${each}`,
    )
    for (const path of [...withBody, '/v1/check', '/v1/repair']) {
      const answer = await api.ask(path, { method: 'POST', ...asked })
      expect(answer.json, path).toMatchObject({ status, code })
    }
  })

  it('unknown addresses and methods are told as such, to who has the token', async () => {
    expect((await api.ask('/v1/none')).json).toMatchObject({ code: 'no-such-route', status: 404 })
    expect((await api.ask('/v1/status', { method: 'DELETE' })).status).toBe(404)
    expect((await api.ask('/v1/none', { token: '' })).status).toBe(401)
    expect((await api.ask('/v1/%zz')).status).toBe(400)
  })

  it('nothing secret is logged or answered when something fails', async () => {
    const bad = await api.post('/v1/capabilities/explain', { capability: CAPABILITY })
    expect(bad.json).toMatchObject({ code: 'capability-malformed', status: 400 })
    expect(bad.bytes.toString('utf8')).not.toContain('qqq')
    expect(api.logged.join('\n')).not.toMatch(new RegExp(`qqq|${TOKEN}`))
  })
})
