/** What a log says of a bug: where it is, and not what data it met. */
export function debugOf(bug: unknown): string {
  if (!(bug instanceof Error)) return 'something that is no error was thrown'
  const places = (bug.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return [bug.name, ...places.slice(0, 6).map((line) => line.trim())].join(' ')
}
