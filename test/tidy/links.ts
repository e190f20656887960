import { posix } from 'node:path'
import type { Source } from './sources.ts'

/** Links of a Markdown document to files of the repository that are not there. Headings after `#` are not looked up. */
export function brokenLinks(document: Source, exists: (path: string) => boolean): string[] {
  const targets = Array.from(
    document.text.matchAll(/\]\(([^)\s]+)\)/g),
    ([, target = '']) => target,
  )
  return targets
    .filter((target) => !/^[a-z][a-z0-9+.-]*:|^#/i.test(target))
    .map((target) => target.replace(/#.*$/, ''))
    .filter((target) => !exists(posix.join(posix.dirname(document.path), target)))
    .map((target) => `${document.path} links to ${target}`)
}
