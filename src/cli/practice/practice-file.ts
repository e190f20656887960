import { join, resolve } from 'node:path'
import { existsSync } from 'node:fs'
import { EXIT } from '../exit-codes.ts'
import { CliError } from '../failures.ts'
import { readJsonFile, writeJsonFile } from '../../home/json-file.ts'
import { currentHome, homeFiles, type HomeFiles } from '../../home/layout.ts'

/** A grid on one machine to practise with: each node has a home under one directory, and so has the client. */
export interface Practice {
  readonly dir: string
  readonly client: HomeFiles
  readonly nodes: readonly PracticeNode[]
}

export interface PracticeNode {
  readonly name: string
  readonly files: HomeFiles
}

const FORMAT = { format: 'hayloft-practice', version: 1 }

/** @returns undefined if no practice grid was ever made there */
export async function readPractice(dir: string): Promise<Practice | undefined> {
  const fields = await readJsonFile(practicePath(dir), FORMAT)
  return fields === undefined ? undefined : practiceOf(dir, fields.texts('nodes'))
}

export async function writePractice(dir: string, names: readonly string[]): Promise<Practice> {
  await writeJsonFile(practicePath(dir), FORMAT, { nodes: names })
  return practiceOf(dir, names)
}

/** @throws CliError if there is none */
export async function requirePractice(dir: string): Promise<Practice> {
  const practice = await readPractice(dir)
  if (practice !== undefined) return practice
  throw new CliError({
    exit: EXIT.inputMissing,
    code: 'no-practice-grid',
    message: `There is no practice grid in ${dir}. "hayloft practice start" makes one.`,
  })
}

/** Two digits, so that names sort as they count; three where there are a hundred. */
export function nodeNames(count: number): string[] {
  const digits = Math.max(2, String(count).length)
  return Array.from({ length: count }, (_, at) => `node-${String(at + 1).padStart(digits, '0')}`)
}

/**
 * Where practice grids are by default: `practice` under the current home. But who follows the advice to use the grid's
 * client home as `HAYLOFT_HOME` means that same grid, and not another one inside it.
 */
export function practiceDirectory(given: string | undefined): string {
  if (given !== undefined) return resolve(given)
  const { home } = currentHome()
  const around = resolve(home, '..')
  return existsSync(practicePath(around)) ? around : join(home, 'practice')
}

function practicePath(dir: string): string {
  return join(dir, 'practice.json')
}

function practiceOf(dir: string, names: readonly string[]): Practice {
  return {
    dir,
    client: homeFiles(join(dir, 'me')),
    nodes: names.map((name) => ({ name, files: homeFiles(join(dir, name)) })),
  }
}
