import { formatPath, type Path } from '../../folders/names.ts'
import type { Place } from '../paths/place.ts'

/** How to call another path below the alias or capability of a place. */
export function labelBelow({ label, path }: Pick<Place, 'label' | 'path'>, other: Path): string {
  const root = path.length === 0 ? label : label.slice(0, -formatPath(path).length)
  return root.endsWith('…') ? `${root}/${formatPath(other)}` : root + formatPath(other)
}
