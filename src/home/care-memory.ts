import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fromHex, toHex } from '../foundation/bytes.ts'
import { describingFailures } from '../foundation/system-failure.ts'
import type { CareMemory, RootRecord, RootState } from '../grid/care/memory.ts'
import type { NodeHistory } from '../grid/care/node-history.ts'
import type { NodeSamples, ShareSample } from '../grid/care/samples.ts'
import type { BudgetState } from '../grid/care/traffic-budget.ts'
import { BLOCK_ID_BYTES, blockId } from '../protocol/block-id.ts'
import { nodeKey } from '../protocol/node-key.ts'
import { HomeError } from './errors.ts'
import { makePrivateDirectory, readIfThere, writePrivateFile } from './files.ts'
import { damaged, readJsonFile, writeJsonFile, type Fields } from './json-file.ts'

/**
 * What a carer remembers, as files of one directory of a home. One that is damaged is as good as forgotten: then things
 * are measured and done again.
 */
export class HomeCareMemory implements CareMemory {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  async nodes(): Promise<readonly NodeHistory[]> {
    const read = (fields: Fields): NodeHistory[] => fields.objects('nodes').map(historyIn)
    return (await this.#read('nodes', read)) ?? []
  }

  async saveNodes(histories: readonly NodeHistory[]): Promise<void> {
    await this.#write('nodes', { nodes: histories })
  }

  async budget(): Promise<BudgetState | undefined> {
    return await this.#read('budget', (fields) => ({
      tokensBytes: fields.number('tokensBytes'),
      atMs: fields.number('atMs'),
    }))
  }

  async saveBudget(state: BudgetState): Promise<void> {
    await this.#write('budget', state)
  }

  async root(id: string): Promise<RootRecord | undefined> {
    return await this.#read(ROOT + id, recordIn)
  }

  async saveRoot(id: string, record: RootRecord): Promise<void> {
    const { state } = record
    await this.#write(ROOT + id, { ...record, state: state && writtenState(state) })
  }

  async samples(id: string): Promise<readonly NodeSamples[]> {
    const read = (fields: Fields): NodeSamples[] => fields.objects('nodes').map(samplesIn)
    return (await this.#read(SAMPLES + id, read)) ?? []
  }

  async saveSamples(id: string, samples: readonly NodeSamples[]): Promise<void> {
    const nodes = samples.map(({ node, shares, samples: chosen }) => ({
      node,
      shares,
      samples: chosen.map((one) => [toHex(one.id), one.index, toHex(one.root), one.shardBytes]),
    }))
    await this.#write(SAMPLES + id, { nodes })
  }

  async linkless(id: string): Promise<Uint8Array | undefined> {
    return await readIfThere(this.#linklessOf(id))
  }

  async saveLinkless(id: string, names: Uint8Array): Promise<void> {
    await this.#making()
    await writePrivateFile(this.#linklessOf(id), names)
  }

  async keepRoots(ids: ReadonlySet<string>): Promise<void> {
    await this.#making()
    const names = await describingFailures(`The directory ${this.#directory}`, async () => {
      return await readdir(this.#directory)
    })
    for (const name of names) {
      const [, id] = /^(?:root|samples|linkless)-(.+?)(?:\.json)?$/.exec(name) ?? []
      if (id !== undefined && !ids.has(id)) await rm(join(this.#directory, name), { force: true })
    }
  }

  async #read<T>(name: string, read: (fields: Fields) => T): Promise<T | undefined> {
    try {
      const fields = await readJsonFile(this.#pathOf(name), FORMAT)
      return fields === undefined ? undefined : read(fields)
    } catch (error) {
      if (error instanceof HomeError && error.code === 'home-damaged') return undefined
      throw error
    }
  }

  async #write(name: string, body: object): Promise<void> {
    await this.#making()
    await writeJsonFile(this.#pathOf(name), FORMAT, body)
  }

  async #making(): Promise<void> {
    await makePrivateDirectory(this.#directory)
  }

  #linklessOf(id: string): string {
    return join(this.#directory, `linkless-${id}`)
  }

  #pathOf(name: string): string {
    return join(this.#directory, `${name}.json`)
  }
}

const FORMAT = { format: 'hayloft-care', version: 1 }
const ROOT = 'root-'
const SAMPLES = 'samples-'

function historyIn(fields: Fields): NodeHistory {
  return {
    node: nodeKey(fields.hex32('node')),
    firstSeenMs: fields.number('firstSeenMs'),
    upMs: fields.number('upMs'),
    downMs: fields.number('downMs'),
    good: fields.number('good'),
    bad: fields.number('bad'),
    decayedMs: fields.number('decayedMs'),
    probedMs: fields.number('probedMs'),
    awayMs: fields.number('awayMs'),
    misses: fields.number('misses'),
    auditedMs: fields.number('auditedMs'),
    departures: fields.number('departures'),
  }
}

function recordIn(fields: Fields): RootRecord {
  return {
    addedMs: fields.number('addedMs'),
    triedMs: fields.number('triedMs'),
    visitedMs: fields.number('visitedMs'),
    renewedMs: fields.number('renewedMs'),
    isRenewalDue: fields.flag('isRenewalDue'),
    drilledMs: fields.number('drilledMs'),
    verifiedMs: fields.number('verifiedMs'),
    deferredBytes: fields.number('deferredBytes'),
    standing: fields.texts('standing'),
    state: fields.has('state') ? stateIn(fields.object('state')) : undefined,
  }
}

function stateIn(fields: Fields): RootState {
  const recoverable = fields.oneOf('recoverable', ['yes', 'no', 'unknown'])
  return {
    recoverable: recoverable === 'unknown' ? recoverable : recoverable === 'yes',
    healthy: fields.flag('healthy'),
    blocks: fields.whole('blocks'),
    slots: fields.whole('slots'),
    bytes: fields.whole('bytes'),
    sharesMissing: fields.whole('sharesMissing'),
    copiesMissing: fields.whole('copiesMissing'),
    lost: fields.whole('lost'),
    mayVanish: fields.number('mayVanish'),
    households: fields.whole('households'),
    mayVanishWithOneMore: fields.number('mayVanishWithOneMore'),
    chanceUnreadable: fields.number('chanceUnreadable'),
    chanceOfLossInYear: fields.number('chanceOfLossInYear'),
  }
}

function writtenState({ recoverable, ...state }: RootState): object {
  const word = recoverable === 'unknown' ? recoverable : recoverable ? 'yes' : 'no'
  return { recoverable: word, ...state }
}

function samplesIn(fields: Fields): NodeSamples {
  const samples = fields.list('samples').map((one): ShareSample => {
    const [id, index, root, shardBytes] = Array.isArray(one) ? (one as unknown[]) : []
    const idBytes = typeof id === 'string' ? fromHex(id) : undefined
    const rootBytes = typeof root === 'string' ? fromHex(root) : undefined
    const isWhole = typeof index === 'number' && typeof shardBytes === 'number' && shardBytes > 0
    if (idBytes?.length !== BLOCK_ID_BYTES || rootBytes === undefined || !isWhole) {
      throw damaged(fields.path, 'it does not hold shares')
    }
    return { id: blockId(idBytes), index, root: rootBytes, shardBytes }
  })
  return { node: nodeKey(fields.hex32('node')), shares: fields.whole('shares'), samples }
}
