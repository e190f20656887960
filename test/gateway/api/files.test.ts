import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { noise } from '../../end-to-end/noise.ts'
import { ApiUnderTest, TOKEN, type Answer } from './api-under-test.ts'

let api: ApiUnderTest

beforeAll(async () => {
  api = await ApiUnderTest.start()
})
afterAll(async () => {
  await api[Symbol.asyncDispose]()
})

const at = (path: string): string => `/v1/files/content?path=${encodeURIComponent(path)}`
const get = async (path: string, headers = {}): Promise<Answer> =>
  await api.ask(at(path), { headers })

describe('files', () => {
  const LARGE = noise('api', 5 * 2 ** 20 + 321)

  it('come back as they went, whole and in ranges', async () => {
    const written = await api.put(at('a/large'), LARGE)
    expect(written).toMatchObject({
      status: 201,
      json: { size: LARGE.length, durability: 'durable' },
    })
    const read = await get('a/large')
    expect(read.bytes.equals(LARGE)).toBe(true)
    expect(read.headers).toMatchObject({ etag: written.headers.etag, 'accept-ranges': 'bytes' })
    for (const [range, part] of [
      ['bytes=1048570-2097160', LARGE.subarray(1048570, 2097161)],
      ['bytes=-10', LARGE.subarray(-10)],
      ['bytes=5243200-', LARGE.subarray(5243200)],
    ] as const) {
      const { status, bytes, headers } = await get('a/large', { range })
      expect(status).toBe(206)
      expect(bytes.equals(part)).toBe(true)
      expect(headers['content-length']).toBe(String(part.length))
    }
    const past = await get('a/large', { range: `bytes=${LARGE.length}-` })
    expect(past).toMatchObject({ status: 416, json: { code: 'range-invalid' } })
    expect(past.headers['content-range']).toBe(`bytes */${LARGE.length}`)
  })

  it('tell by HEAD what GET would say, without the content', async () => {
    const { status, headers, bytes } = await api.ask(at('a/large'), { method: 'HEAD' })
    expect({ status, length: bytes.length }).toEqual({ status: 200, length: 0 })
    expect(headers['content-length']).toBe(String(LARGE.length))
    expect(headers.etag).toBe((await get('a/large', { range: 'bytes=0-0' })).headers.etag)
  })

  it('are no page that could act for us', async () => {
    await api.put(at('page.html'), '<script>alert(1)</script>')
    const { headers } = await get('page.html')
    expect(headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': 'attachment',
      'x-content-type-options': 'nosniff',
    })
  })

  it('are empty where nothing was sent', async () => {
    expect((await api.put(at('empty'), '')).status).toBe(201)
    expect((await get('empty')).bytes.length).toBe(0)
  })

  it('are written only over the version that one names', async () => {
    const first = await api.put(at('cond'), 'one', { 'if-none-match': '*' })
    expect(first.status).toBe(201)
    const { etag = '' } = first.headers
    expect((await get('cond', { 'if-none-match': etag })).status).toBe(304)
    const refused: Record<string, string>[] = [
      { 'if-none-match': '*' },
      { 'if-match': '"other"' },
      { 'if-none-match': etag },
    ]
    for (const headers of refused) {
      expect(await api.put(at('cond'), 'two', headers)).toMatchObject({
        status: 412,
        json: { code: 'version-differs' },
      })
    }
    expect((await api.put(at('none'), 'two', { 'if-match': '*' })).status).toBe(412)
    expect((await get('none')).status).toBe(404)
    const second = await api.put(at('cond'), 'two', { 'if-match': etag })
    expect(second.status).toBe(200)
    expect(second.headers.etag).not.toBe(etag)
    expect((await get('cond')).bytes.toString()).toBe('two')
    expect((await api.put(at('cond'), 'three', { 'if-match': etag })).status).toBe(412)
  })

  it('of which two are written at once over the same version: one wins, the other is told', async () => {
    const { etag = '' } = (await api.put(at('race'), 'base')).headers
    const both = await Promise.all(
      ['left', 'right'].map(async (text) => await api.put(at('race'), text, { 'if-match': etag })),
    )
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 412]))
  })

  it('whose sending breaks off are not written', async () => {
    await api.put(at('broken'), 'before')
    await new Promise<void>((resolve) => {
      const sending = request({
        port: api.port,
        host: '127.0.0.1',
        path: at('broken'),
        method: 'PUT',
        headers: {
          authorization: `Bearer ${TOKEN}`,
          'content-type': 'application/octet-stream',
          'content-length': 3_000_000,
        },
      })
      sending.on('error', () => resolve())
      sending.write(LARGE.subarray(0, 2_000_000), () => sending.destroy())
      sending.once('close', resolve)
    })
    // A write after it is served after it, too.
    await api.put(at('later'), 'x')
    expect((await get('broken')).bytes.toString()).toBe('before')
    const { json } = await api.ask('/v1/folders/history?path=broken')
    expect((json as { versions: unknown[] }).versions).toHaveLength(1)
  })

  it('go by capabilities in headers, with the power that these have', async () => {
    const stored = await api.ask('/v1/files', {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: LARGE,
    })
    const { capability } = stored.json as { capability: string }
    const headers = { 'hayloft-capability': capability }
    const read = await api.ask('/v1/files/content', { headers })
    expect(read.bytes.equals(LARGE)).toBe(true)
    const weak = await api.post('/v1/capabilities/weaken', { capability, to: 'verify' })
    const verify = { 'hayloft-capability': (weak.json as { capability: string }).capability }
    expect((await api.ask('/v1/files/content', { headers: verify })).json).toMatchObject({
      status: 403,
      code: 'power-missing',
    })
    const folder = await api.post('/v1/capabilities/of', { place: {}, power: 'read' })
    const reader = { 'hayloft-capability': (folder.json as { capability: string }).capability }
    expect((await api.put(at('a/new'), 'x', reader)).json).toMatchObject({ code: 'power-missing' })
    expect((await api.ask(at('cond'), { headers: reader })).bytes.toString()).toBe('two')
  })

  it.each([
    ['a directory', 'a', 409],
    ['nothing', 'nowhere/at/all', 404],
    ['a name that is none', 'a/../b', 400],
    ['below a file', 'cond/below', 409],
  ])('of %s are refused to readers', async (_, path, status) => {
    expect((await get(path)).status).toBe(status)
  })

  it('cannot take the place of a directory', async () => {
    expect((await api.put(at('a'), 'x')).json).toMatchObject({ code: 'is-a-directory' })
    expect((await api.put('/v1/files/content', 'x')).status).toBe(400)
  })
})

describe('events', () => {
  it('tell progress of a named request, and go on after the last one that was seen', async () => {
    const watched = watch()
    await api.put(at('watched'), noise('watched', 9 * 2 ** 20), { 'hayloft-operation': 'up-1' })
    await expect.poll(() => watched.text()).toContain('"operation":"up-1"')
    watched.end()
    const [, id = '0'] = /id: (\d+)/.exec(watched.text()) ?? []
    api.events.publish({ type: 'rollback', data: {} })
    const again = watch({ 'last-event-id': id })
    await expect.poll(() => again.text()).toContain('event: rollback')
    expect(again.text()).not.toContain(`id: ${id}\n`)
    again.end()
  })
})

function watch(headers: Record<string, string> = {}): { text: () => string; end: () => void } {
  let text = ''
  const watching = request({
    port: api.port,
    host: '127.0.0.1',
    path: '/v1/events',
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
  })
  watching.on('error', () => undefined)
  watching.on('response', (response) => {
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    response.on('error', () => undefined)
  })
  watching.end()
  return { text: () => text, end: () => watching.destroy() }
}
