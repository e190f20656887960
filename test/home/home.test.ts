import { chmod, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readAddressFile, writeAddressFile } from '../../src/home/address-file.ts'
import { makePrivateDirectory, writePrivateFile } from '../../src/home/files.ts'
import { readGridFile, writeGridFile, type GridFile } from '../../src/home/grid-file.ts'
import { isAlive, processBirth } from '../../src/home/processes.ts'
import { readRunning, writeRunning } from '../../src/home/running-file.ts'
import { ensureSecret, readSecret } from '../../src/home/secrets.ts'
import { systemRandomness } from '../../src/foundation/system.ts'
import { nodeKey } from '../../src/protocol/node-key.ts'
import { temporaryFolder } from '../support/temporary.ts'

const KEY = nodeKey('ab'.repeat(32))

describe('a file of a home', () => {
  it('is its owner’s alone, and written without leaving anything beside it', async () => {
    const folder = await temporaryFolder()
    await writePrivateFile(join(folder, 'file'), 'old')
    await writePrivateFile(join(folder, 'file'), 'new')
    expect(await readdir(folder)).toEqual(['file'])
    expect((await stat(join(folder, 'file'))).mode & 0o777).toBe(0o600)
  })
})

describe('the directory of a home', () => {
  it('is its owner’s alone if we made it, and left as it is if not', async () => {
    const folder = await temporaryFolder()
    await chmod(folder, 0o755)
    await makePrivateDirectory(folder)
    await makePrivateDirectory(join(folder, 'new'))
    expect((await stat(folder)).mode & 0o777).toBe(0o755)
    expect((await stat(join(folder, 'new'))).mode & 0o777).toBe(0o700)
  })
})

describe('a secret', () => {
  it('is made once and kept', async () => {
    const path = join(await temporaryFolder(), 'identity.key')
    expect(await readSecret(path)).toBeUndefined()
    const secret = await ensureSecret(path, systemRandomness)
    expect(await ensureSecret(path, systemRandomness)).toEqual(secret)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('of another length is refused without being shown', async () => {
    const path = join(await temporaryFolder(), 'identity.key')
    await writeFile(path, 'short secret', { mode: 0o600 })
    await expect(readSecret(path)).rejects.toMatchObject({
      code: 'home-damaged',
      message: expect.not.stringContaining('short secret') as string,
    })
  })
})

describe('grid.json', () => {
  const grid: GridFile = {
    gridId: '01'.repeat(32),
    name: 'Barn',
    bootstrap: ['/ip4/127.0.0.1/tcp/4001'],
  }

  it('is read as it was written', async () => {
    const path = join(await temporaryFolder(), 'grid.json')
    expect(await readGridFile(path)).toBeUndefined()
    await writeGridFile(path, grid)
    expect(await readGridFile(path)).toEqual(grid)
  })

  it.each([
    'not JSON',
    '[]',
    'null',
    '{"format":"other","version":1}',
    '{"format":"hayloft-grid","version":3}',
    '{"format":"hayloft-grid","version":1,"gridId":"zz","bootstrap":[],"members":[]}',
    '{"format":"hayloft-grid","version":2,"gridId":"zz","name":"a","bootstrap":[]}',
    `{"format":"hayloft-grid","version":2,"gridId":"${'01'.repeat(32)}","name":"a","bootstrap":[7]}`,
    `{"format":"hayloft-grid","version":2,"gridId":"${'01'.repeat(32)}","name":"\\u001b[2J","bootstrap":[]}`,
  ])('is refused when it is %s', async (text) => {
    const path = join(await temporaryFolder(), 'grid.json')
    await writeFile(path, text)
    await expect(readGridFile(path)).rejects.toMatchObject({ code: 'home-damaged' })
  })
})

describe('known addresses', () => {
  it('are kept, and count as none where they cannot be read', async () => {
    const path = join(await temporaryFolder(), 'addresses.json')
    const known = new Map([[KEY, ['/ip4/127.0.0.1/tcp/1']]])
    await writeAddressFile(path, known)
    expect(await readAddressFile(path)).toEqual(known)
    await writeFile(path, 'damaged')
    expect(await readAddressFile(path)).toEqual(new Map())
  })
})

describe('a running node', () => {
  const about = { peerId: 'p', addresses: [] }

  it('is one whose process is alive and the same', async () => {
    const path = join(await temporaryFolder(), 'running.json')
    const birth = (await processBirth(process.pid)) ?? ''
    await writeRunning(path, { ...about, pid: process.pid, birth })
    expect(await readRunning(path)).toMatchObject({ pid: process.pid })
  })

  it('is not another process that has its pid by now', async () => {
    const path = join(await temporaryFolder(), 'running.json')
    await writeRunning(path, { ...about, pid: process.pid, birth: 'another boot/1' })
    expect(await readRunning(path)).toBeUndefined()
    expect(await isAlive({ pid: process.pid, birth: '' })).toBe(false)
  })
})
