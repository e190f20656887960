import { posix } from 'node:path'
import type { Source } from './sources.ts'

/** What a file imports or re-exports, as it is written: `./a.ts`, `node:fs`, `level`. */
export function importsOf({ text }: Source): string[] {
  const code = withoutComments(text)
  const patterns = [
    /^\s*(?:import|export)\b[^'"`;=]*?\bfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*['"]([^'"]+)['"]/gm,
    /\bimport\s*\(\s*['"]([^'"]+)['"]/g,
  ]
  return patterns.flatMap((pattern) => Array.from(code.matchAll(pattern), ([, name = '']) => name))
}

export function isRelative(specifier: string): boolean {
  return specifier.startsWith('.')
}

/** The path, from the repository's root, that a relative import means. */
export function resolved({ path }: Source, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(path), specifier))
}

/** The code alone: prose may name what code may not. Knows strings well enough not to take `//` in an address for a comment. */
export function withoutComments(text: string): string {
  return text.replaceAll(
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (whole, literal: string | undefined) => literal ?? whole.replaceAll(/[^\n]/g, ''),
  )
}
