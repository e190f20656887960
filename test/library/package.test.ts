import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withoutComments } from '../tidy/imports.ts'
import { ROOT } from '../tidy/sources.ts'
import { Consumer } from './consumer.ts'

/** What the package promises, as it is built: each name with the file that declares it and its name there. */
interface Promised {
  readonly name: string
  readonly declaredAs: string
  readonly path: string
  readonly isType: boolean
}

const ENTRY = join(ROOT, 'dist', 'library', 'index.d.ts')
/** Takes arguments of its own. */
const GENERIC = 'Branded'

const promised = promisedBy(ENTRY)
const types = promised.filter(({ isType, name }) => isType && name !== GENERIC)
let consumer: Consumer

beforeAll(async () => {
  consumer = await Consumer.create()
})
afterAll(async () => {
  await consumer[Symbol.asyncDispose]()
})

describe('the package', () => {
  it('gives a program exactly the names that its entry lists', async () => {
    await consumer.write('names.js', `console.log(Object.keys(await import('hayloft')).join())`)
    const { stdout } = await consumer.run('names.js', '/nonexistent')
    const values = promised.filter(({ isType }) => !isType).map(({ name }) => name)
    expect(stdout.trim().split(',').sort()).toEqual(values.sort())
    expect(values).toContain('openHayloft')
  })

  it('keeps what is inside to itself', async () => {
    await consumer.write('inside.js', `await import('hayloft/dist/grid/grid.js')`)
    await expect(consumer.run('inside.js', '/nonexistent')).rejects.toThrow(
      'ERR_PACKAGE_PATH_NOT_EXPORTED',
    )
  })

  it('has types that a strict compiler knows all of', async () => {
    await consumer.write('types.ts', typeProgram())
    await consumer.write('program.ts', PROGRAM)
    expect(await consumer.compile()).toBe('')
  })

  it('would be caught with a type that is any, or not there', async () => {
    await using other = await Consumer.create()
    await other.write('flaws.ts', flawsProgram())
    const complaints = await other.compile()
    expect(complaints).toContain(`flaws.ts(4,`)
    expect(complaints).toContain(`flaws.ts(5,`)
    expect(complaints).toContain(`has no exported member 'Nothing'`)
  })

  it('has no any in all that its declarations lead to, nor a file that is missing', () => {
    const files = reachableFrom(ENTRY)
    expect(files.length).toBeGreaterThan(20)
    const flaws = files.flatMap((path) => {
      if (!existsSync(path)) return [`${relative(ROOT, path)} is missing`]
      const text = withoutComments(readFileSync(path, 'utf8'))
      return /[:<|&,(]\s*any\b|\bany\[\]/.test(text) ? [`${relative(ROOT, path)} has any`] : []
    })
    expect(flaws).toEqual([])
  })

  it('promises every type that what it promises is made of', () => {
    const known = new Set([...promised.map(({ declaredAs }) => declaredAs), ...BUILT_IN.split(' ')])
    const missing = promised.flatMap((each) => {
      const text = withoutComments(readFileSync(each.path, 'utf8'))
      // What a file keeps to itself is a part of its types that has no name outside.
      const interfaces = text.matchAll(/^interface (\w+)/gm)
      const own = new Set(Array.from(interfaces, ([, name = '']) => name))
      return typesNamedBy(text, each.declaredAs)
        .filter((name) => !known.has(name) && !own.has(name))
        .map((name) => `${each.name} is made of ${name}`)
    })
    expect(missing).toEqual([])
  })

  it('explains every name where it is declared', () => {
    const silent = promised.filter(({ path, declaredAs }) => {
      const text = readFileSync(path, 'utf8')
      return !new RegExp(`\\*/\\n${declarationOf(declaredAs)}`).test(text)
    })
    expect(silent.map(({ name }) => name)).toEqual([])
  })
})

/** Of the language, its library or Node. */
const BUILT_IN =
  'AbortSignal AsyncDisposable AsyncGenerator AsyncIterable Error ErrorOptions Exclude Iterable Omit Pick Promise ' +
  'ReadonlyMap Symbol Uint8Array'

function declarationOf(name: string): string {
  return `export (?:declare |abstract )*(?:const|function\\*?|class|interface|type) ${name}\\b`
}

/** The types that the declarations of a name mention. */
function typesNamedBy(text: string, name: string): string[] {
  const end = String.raw`(?=\n(?:export|declare|interface|type) |$(?![\s\S]))`
  const declarations = text.matchAll(new RegExp(`${declarationOf(name)}[\\s\\S]*?${end}`, 'gm'))
  return Array.from(declarations).flatMap(([declaration]) => {
    const words = declaration.replaceAll(/'[^'\n]*'/g, '').matchAll(/\b[A-Z][A-Za-z0-9]+\b/g)
    return Array.from(words, ([word]) => word)
  })
}

/** Fails to compile for each type that is any or has a member that is. */
function typeProgram(): string {
  const checks = types.map(({ name }) => `export const of${name}: Flaw<hayloft.${name}> = false`)
  return [...FLAW, ...checks, ''].join('\n')
}

const FLAW = [
  `import type * as hayloft from 'hayloft'`,
  'type IsAny<T> = 0 extends 1 & T ? true : false',
  'type Flaw<T> = IsAny<T> extends true ? true : true extends { [K in keyof T]: IsAny<T[K]> }[keyof T] ? true : false',
]

function flawsProgram(): string {
  return [
    ...FLAW,
    // eslint-disable-next-line no-template-curly-in-string -- no template
    'export const first: Flaw<any> = false',
    'export const second: Flaw<{ member: any }> = false',
    'export const third: Flaw<hayloft.Nothing> = false',
    '',
  ].join('\n')
}

/** What a program may say and, where it expects an error, may not. */
const PROGRAM = `
import * as hayloft from 'hayloft'

const { openHayloft, parseCapability, parsePath, toRead, toVerify } = hayloft

export async function program(signal: AbortSignal): Promise<string> {
  await using mine = await openHayloft({ home: '/home/ada', passphrase: async () => 'secret', signal })
  const capability = parseCapability('hayfile1')
  if (capability.kind !== 'literal') {
    const { healthy }: { healthy: boolean } = await mine.grid.check(capability, { verify: 'full' })
    if (!healthy) await mine.grid.repair(capability, { signal })
  }
  switch (capability.kind) {
    case 'file-read': {
      // Of what one only may read there is nothing weaker to read by.
      // @ts-expect-error
      toRead(capability)
      const check: hayloft.CheckReport = await mine.grid.check(toVerify(capability), { verify: 'full' })
      return String(check.recoverable)
    }
    case 'file-verify':
      // @ts-expect-error
      await mine.files.get(capability)
      return String((await mine.grid.repair(capability, { verify: 'audit' })).sharesMissing)
    case 'folder-write': {
      const writer: hayloft.FolderWriter = await mine.folders.open(capability)
      const result = await writer.edit([{ kind: 'remove', path: parsePath('a') }])
      const tree: hayloft.TreeReport = await mine.grid.check(toVerify(capability))
      return result.durability + String(tree.blocks.total)
    }
    case 'folder-read': {
      const reader: hayloft.FolderReader = await mine.folders.open(capability)
      // @ts-expect-error
      await reader.edit([])
      return (await reader.now({ signal })).freshness
    }
    case 'folder-verify':
      // @ts-expect-error
      await mine.folders.open(capability)
      return String((await mine.slots.check(capability)).copies)
    case 'mutable-read':
      // @ts-expect-error
      await mine.mutableFiles.write(capability, hayloft.chunksOf(''))
      return String((await mine.mutableFiles.look(capability)).current.sizeBytes)
    case 'literal':
      return String((await mine.files.get(capability)).sizeBytes)
    case 'mutable-write':
    case 'mutable-verify':
    case 'snapshot-read':
    case 'snapshot-verify':
      return capability.kind
  }
}

// One kind of capability never passes for another, nor does any text or key.
// @ts-expect-error
export const stronger: hayloft.FolderWriteCapability = toRead(parseCapability('') as hayloft.FolderWriteCapability)
// @ts-expect-error
export const forged: hayloft.FolderWriteCapability = { kind: 'folder-write', writeKey: new Uint8Array(32) }
// @ts-expect-error
export const path: hayloft.Path = ['a/b']
`

function promisedBy(entry: string): Promised[] {
  const text = withoutComments(readFileSync(entry, 'utf8'))
  const statements = text.matchAll(/export (type )?\{([^}]*)\} from '([^']+)'/g)
  return Array.from(statements).flatMap(([, type, names = '', from = '']) =>
    names
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
      .map((each) => {
        const [declaredAs = '', name = declaredAs] = each.split(' as ')
        return { name, declaredAs, path: declarationsOf(entry, from), isType: type !== undefined }
      }),
  )
}

/** All declaration files that a program gets to see with the entry. */
function reachableFrom(entry: string): string[] {
  const found = new Set([entry])
  for (const path of found) {
    if (!existsSync(path)) continue
    const text = withoutComments(readFileSync(path, 'utf8'))
    const imports = text.matchAll(/(?:from|import\()\s*['"](\.[^'"]+)['"]/g)
    for (const [, specifier = ''] of imports) found.add(declarationsOf(path, specifier))
  }
  return [...found]
}

/** The compiler leaves the endings of imports in declarations as they are in the sources. */
function declarationsOf(from: string, specifier: string): string {
  return join(dirname(from), specifier.replace(/\.[jt]s$/, '.d.ts'))
}
