import { HomeError } from './errors.ts'
import { readIfThere, writePrivateFile } from './files.ts'

/** What a home file says about itself, so that a later Hayloft knows how to read it and an older one that it cannot. */
export interface FileFormat {
  readonly format: string
  readonly version: number
}

/**
 * @param former - by version, why a file of an earlier one cannot be used any more
 * @returns undefined if there is no such file
 */
export async function readJsonFile(
  path: string,
  expected: FileFormat,
  former: Readonly<Record<number, string>> = {},
): Promise<Fields | undefined> {
  const bytes = await readIfThere(path)
  if (bytes === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    throw damaged(path, 'it is not JSON')
  }
  const fields = Fields.of(value, path)
  if (fields.text('format') !== expected.format) {
    throw damaged(path, `it is not a ${expected.format} file`)
  }
  const version = fields.whole('version')
  if (version !== expected.version) {
    throw damaged(
      path,
      former[version] ??
        `it has version ${version}, and this Hayloft reads version ${expected.version}`,
    )
  }
  return fields
}

export async function writeJsonFile(path: string, format: FileFormat, body: object): Promise<void> {
  await writePrivateFile(path, `${JSON.stringify({ ...format, ...body }, undefined, 2)}\n`)
}

export function damaged(path: string, why: string): HomeError {
  return new HomeError({
    code: 'home-damaged',
    message: `The file ${path} cannot be used: ${why}.`,
  })
}

/** The fields of a JSON object, each checked as it is taken. */
export class Fields {
  readonly path: string
  readonly #values: Readonly<Record<string, unknown>>

  private constructor(values: Readonly<Record<string, unknown>>, path: string) {
    this.#values = values
    this.path = path
  }

  static of(value: unknown, path: string): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw damaged(path, 'it does not hold a JSON object where one belongs')
    }
    return new Fields(value as Record<string, unknown>, path)
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined
  }

  flag(name: string): boolean {
    const value = this.#values[name]
    if (typeof value !== 'boolean') throw this.#wrong(name, 'true or false')
    return value
  }

  text(name: string): string {
    const value = this.#values[name]
    if (typeof value !== 'string') throw this.#wrong(name, 'a text')
    return value
  }

  whole(name: string): number {
    const value = this.#values[name]
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
      throw this.#wrong(name, 'a whole number')
    }
    return value
  }

  /** Any number that is one. */
  number(name: string): number {
    const value = this.#values[name]
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.#wrong(name, 'a number')
    return value
  }

  /** 32 bytes as 64 lower-case hexadecimal digits. */
  hex32(name: string): string {
    const value = this.text(name)
    if (!/^[0-9a-f]{64}$/.test(value)) throw this.#wrong(name, '64 hexadecimal digits')
    return value
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T {
    const value = this.text(name)
    const choice = choices.find((each) => each === value)
    if (choice === undefined) throw this.#wrong(name, choices.join(' or '))
    return choice
  }

  texts(name: string): string[] {
    return this.list(name).map((value) => {
      if (typeof value !== 'string') throw this.#wrong(name, 'a list of texts')
      return value
    })
  }

  object(name: string): Fields {
    return Fields.of(this.#values[name], this.path)
  }

  objects(name: string): Fields[] {
    return this.list(name).map((value) => Fields.of(value, this.path))
  }

  /** Names and what stands under them. */
  entries(name: string): [string, unknown][] {
    return Object.entries(Fields.of(this.#values[name], this.path).#values)
  }

  list(name: string): unknown[] {
    const value = this.#values[name]
    if (!Array.isArray(value)) throw this.#wrong(name, 'a list')
    return value
  }

  #wrong(name: string, expected: string): HomeError {
    return damaged(this.path, `"${name}" is not ${expected}`)
  }
}
