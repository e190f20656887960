import { execFileSync } from 'node:child_process'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { until } from '../end-to-end/grid.ts'
import { SyncedPair, type Side } from './synced-pair.ts'

const ALL: readonly Side[] = ['desk', 'lap', 'tab']

describe('directories on three computers', () => {
  it('keep everything that was written on either while they could not see each other', async () => {
    await using three = await SyncedPair.start({}, ALL)
    const texts = ['both', 'gone', 'moved', 'shape', 'still']
    for (const name of texts) await writeFile(three.at('desk', name), `${name} at first`)
    await three.settle((files) => texts.every((name) => files[name] === `${name} at first`))
    for (const side of ALL) await three.killDaemon(side)
    // Edit beside edit, edit beside removal, renaming beside edit, and a file where another has a directory.
    for (const side of ALL) await writeFile(three.at(side, 'both'), `both by ${side}`)
    await rm(three.at('desk', 'gone'))
    await writeFile(three.at('lap', 'gone'), 'gone by lap')
    await rename(three.at('desk', 'moved'), three.at('desk', 'moved on'))
    await writeFile(three.at('tab', 'moved'), 'moved by tab')
    await rm(three.at('lap', 'shape'))
    await mkdir(three.at('lap', 'shape'))
    await writeFile(three.at('lap', 'shape', 'inner'), 'shape by lap')
    await writeFile(three.at('tab', 'shape'), 'shape by tab')
    for (const side of ALL) await three.startDaemon(side)
    const written = [
      ...ALL.map((side) => `both by ${side}`),
      'gone by lap',
      'moved at first',
      'moved by tab',
      'shape by lap',
      'shape by tab',
      'still at first',
    ]
    await three.settle((files) => {
      const contents = Object.values(files)
      return written.every((text) => contents.includes(text))
    })
    const files = await three.listing('desk')
    // Nothing twice, and nothing that was replaced or removed.
    expect(
      Object.values(files)
        .filter((text) => text !== '')
        .toSorted(),
    ).toEqual(written.toSorted())
    expect(files['gone']).toBe('gone by lap')
    expect(files['shape/inner']).toBe('shape by lap')
    expect(Object.keys(files).filter((path) => path.startsWith('both'))).toHaveLength(3)
  })

  it('keep trees that are deep and wide', async () => {
    await using three = await SyncedPair.start({}, ALL)
    const deep = Array.from({ length: 60 }, (_, depth) => `level ${depth}`)
    await mkdir(three.at('desk', ...deep), { recursive: true })
    await writeFile(three.at('desk', ...deep, 'bottom'), 'bottom')
    for (let at = 0; at < 400; at++) {
      await mkdir(three.at('tab', 'wide', `${at}`), { recursive: true })
      await writeFile(three.at('tab', 'wide', `${at}`, 'leaf'), `${at}`)
    }
    await three.settle(
      (files) =>
        files[[...deep, 'bottom'].join('/')] === 'bottom' && files['wide/399/leaf'] === '399',
    )
    await rm(three.at('lap', 'level 0'), { recursive: true })
    await three.settle((files) => !('level 0/' in files))
    expect(Object.keys(await three.listing('tab'))).toHaveLength(801)
  })
})

describe('a computer with few watches to give', () => {
  it('is late to notice, says so, and misses nothing', async () => {
    if (!canLimitWatches()) {
      console.warn(
        'Watches can be limited in a user namespace only, which there is none of here: not tried.',
      )
      return
    }
    await using pair = await SyncedPair.start()
    await pair.killDaemon('lap')
    const directories = Array.from({ length: 300 }, (_, at) => `${at}`)
    for (const name of directories) {
      await mkdir(pair.at('lap', name))
      await writeFile(pair.at('lap', name, 'a'), name)
    }
    await pair.startDaemon('lap', [...WITH_FEW_WATCHES])
    await pair.settle((files) => directories.every((name) => files[`${name}/a`] === name))
    await until(async () => (await pair.status('lap')).degraded.includes('no more watches'))
    for (const name of directories) await writeFile(pair.at('lap', name, 'a'), `${name} again`)
    // To ask how it is has it look at everything.
    await pair.settle((files) =>
      directories.every((name) => files[`${name}/a`] === `${name} again`),
    )
  })
})

const WITH_FEW_WATCHES = [
  'unshare',
  '--user',
  '--map-root-user',
  'sh',
  '-c',
  'echo 200 > /proc/sys/user/max_inotify_watches && exec "$@"',
  'sh',
] as const

function canLimitWatches(): boolean {
  const [command, ...args] = WITH_FEW_WATCHES
  try {
    execFileSync(command, [...args, 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
