import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../tidy/sources.ts'

const run = promisify(execFile)

/** What a program that was run has said. */
export interface Said {
  readonly stdout: string
  readonly stderr: string
}

/** A project of somebody else's that has installed Hayloft as npm would, and Node's types beside it. */
export class Consumer implements AsyncDisposable {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static async create(): Promise<Consumer> {
    const folder = await mkdtemp(join(tmpdir(), 'hayloft-consumer-'))
    await mkdir(join(folder, 'node_modules'))
    await symlink(ROOT, join(folder, 'node_modules', 'hayloft'), 'dir')
    const types = join(ROOT, 'node_modules', '@types')
    await symlink(types, join(folder, 'node_modules', '@types'), 'dir')
    const write = async (name: string, value: unknown): Promise<void> => {
      await writeFile(join(folder, name), JSON.stringify(value))
    }
    await write('package.json', { name: 'consumer', type: 'module', private: true })
    await write('tsconfig.json', { compilerOptions: COMPILER_OPTIONS, include: ['*.ts'] })
    return new Consumer(folder)
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.folder, name), text)
  }

  /** Compiles all that was written. @returns what the compiler finds wrong; nothing if all is well */
  async compile(): Promise<string> {
    const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
    try {
      await run(process.execPath, [compiler, '-p', this.folder, '--pretty', 'false'])
      return ''
    } catch (error) {
      return (error as Said).stdout + (error as Said).stderr
    }
  }

  /** Runs a compiled program in the project's folder. @throws if its status is not 0 */
  async run(name: string, home: string): Promise<Said> {
    const env = { ...process.env, HAYLOFT_HOME: home }
    return await run(process.execPath, [join(this.folder, name)], { cwd: this.folder, env })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** As strict as they come: the package's own declarations are looked into as well. */
const COMPILER_OPTIONS = {
  target: 'es2023',
  lib: ['es2023', 'esnext.disposable'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  skipLibCheck: false,
}
