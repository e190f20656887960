import { Ajv2020 } from 'ajv/dist/2020.js'
import type { Answer } from './api-under-test.ts'

interface Described {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

interface Operation {
  readonly summary?: string
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly responses: Readonly<Record<string, Response>>
}

interface Response {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>
}

/** What the API says of itself, to hold its answers against. */
export class Description {
  readonly #document: Described
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true })

  constructor(document: unknown) {
    this.#document = document as Described
    this.#ajv.addSchema(this.#document, 'api')
  }

  get version(): string {
    return this.#document.openapi
  }

  /** `GET /v1/status` and so on. */
  get operations(): string[] {
    return Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    )
  }

  operation(name: string): Operation {
    const [method = '', path = ''] = name.split(' ')
    const found = this.#document.paths[path]?.[method.toLowerCase()]
    if (found === undefined) throw new Error(`${name} is not described`)
    return found
  }

  /** What about an answer is not as described. */
  flawsOf(name: string, { status, headers, json }: Answer): string[] {
    const { responses } = this.operation(name)
    const key = [String(status), `${String(status)[0] ?? ''}XX`].find((each) => each in responses)
    if (key === undefined) return [`status ${status} is not described`]
    const { content = {} } = responses[key] ?? {}
    const type = headers['content-type']?.split(';')[0] ?? ''
    if (Object.keys(content).length === 0) return []
    const media = content[type]
    if (media === undefined) return [`${type} is not described`]
    if (!type.endsWith('json')) return []
    const [method = '', path = ''] = name.split(' ')
    const pointer = [
      'paths',
      path,
      method.toLowerCase(),
      'responses',
      key,
      'content',
      type,
      'schema',
    ]
    const escaped = pointer.map((each) => each.replaceAll('~', '~0').replaceAll('/', '~1'))
    const validate = this.#ajv.compile({
      $ref: `api#/${escaped.map(encodeURIComponent).join('/')}`,
    })
    if (validate(json)) return []
    return (validate.errors ?? []).map(
      ({ instancePath, message }) => `${instancePath} ${message ?? ''}`,
    )
  }
}
