import type { Mutant } from '../mutant.ts'

/** Ways to break what brings a folder from one device to another. */
export const FOLDER_MUTANTS: readonly Mutant[] = [
  {
    name: 'a client does not ask before it writes',
    file: 'src/grid/slots/client.ts',
    right: 'await this.#replicas.refresh(known, { signal: options.signal, isForWrite: true })',
    wrong: '',
  },
  {
    name: 'a state is sent before its blocks are stored',
    file: 'src/grid/slots/client.ts',
    right: 'await Promise.all([known.save(), ready])',
    wrong: 'await known.save()',
  },
  {
    name: 'no rollback is told',
    file: 'src/grid/slots/proof.ts',
    right: 'return missing.length === 0 ? undefined : new Map(missing)',
    wrong: 'return missing.length < Infinity ? undefined : new Map(missing)',
  },
  {
    name: 'states are forgotten with the process that saw them',
    file: 'src/grid/slots/known.ts',
    right: 'this.#heads = maximaOf(heads.filter((head) => head !== undefined))',
    wrong: 'this.#heads = maximaOf(heads.filter((head) => head === null))',
  },
  {
    name: 'nodes that lag are given nothing',
    file: 'src/grid/slots/replicas.ts',
    right: 'for (const [node, held] of poll.answers) this.catchUp(known, node, held)',
    wrong: '',
  },
  {
    name: 'a number is used again after a backup was restored',
    file: 'src/grid/slots/known.ts',
    right: 'this.#tag === undefined || seen > this.#counter ||',
    wrong: 'this.#tag === undefined || seen === -1 ||',
  },
  {
    name: 'of states written at once only one is changed on',
    file: 'src/folders/service/publish.ts',
    right: 'heads.map(({ state }) => state),',
    wrong: 'heads.map(({ state }) => state).slice(0, 1),',
  },
  {
    name: 'of states written at once only one is shown',
    file: 'src/folders/service/reader.ts',
    right: 'const states = heads.map((head) => head.state)',
    wrong: 'const states = heads.map((head) => head.state).slice(0, 1)',
  },
  {
    name: 'a node keeps the last state alone',
    file: 'src/storage-node/slots/register.ts',
    right: "if (order !== 'before') siblings.push(head)",
    wrong: "if (order !== 'before' && siblings.length > 8) siblings.push(head)",
  },
  {
    name: 'a conflict counts as stored',
    file: 'src/grid/slots/replicate.ts',
    right: "if (outcome === 'stored' || outcome === 'have') {",
    wrong: "if (outcome !== 'bad' && outcome !== 'expired') {",
  },
  {
    name: 'one node is enough for a write',
    file: 'src/grid/slots/replicas.ts',
    right: 'durableAt: happinessThreshold(this.code),',
    wrong: 'durableAt: 1,',
  },
  {
    name: 'copies on any nodes count as placed',
    file: 'src/grid/slots/replicate.ts',
    right: "else if (isEnough && isElsewhere) this.#finish('degraded')",
    wrong: "else if (isEnough) this.#finish('durable')",
  },
  {
    name: 'what is owed to the nodes of a slot counts as paid elsewhere',
    file: 'src/grid/slots/replicas.ts',
    right: 'return holders.filter((node) => own.has(node)).length >= happinessThreshold(this.code)',
    wrong: 'return own.size > 0 && holders.length >= happinessThreshold(this.code)',
  },
  {
    name: 'nodes are blamed for what others may have',
    file: 'src/grid/slots/proof.ts',
    right: 'if (unheard(order) < keptAt) expected',
    wrong: 'expected',
  },
  {
    name: 'a read believes the first node',
    file: 'src/grid/slots/poll.ts',
    right: 'this.#settledAt = settledAt(copies)',
    wrong: 'this.#settledAt = Math.min(1, copies)',
  },
]

/** Those of slots that take so much mischance to show that tests bring it about. */
export const SLOT_MUTANTS: readonly Mutant[] = [
  {
    name: 'a state counts as seen what came in while it was made',
    file: 'src/grid/slots/client.ts',
    right: 'const counted = known.advance(clock, dots)',
    wrong: 'const counted = known.advance(known.clock, dots)',
  },
  {
    name: 'a state that failed to be stored is forgotten',
    file: 'src/grid/slots/client.ts',
    right: 'await this.#settleLast(known)',
    wrong: 'known.conclude()',
  },
  {
    name: 'a state that was given up counts as contained in the next one',
    file: 'src/grid/slots/known.ts',
    right: 'if (this.#unsettled !== undefined) this.#tag = undefined',
    wrong: '',
  },
]

/** Those of what a record carries of a small file's past. */
export const CARRIED_MUTANTS: readonly Mutant[] = [
  {
    name: 'a record carries the last state alone',
    file: 'src/grid/mutable/carrying.ts',
    right: 'const all = [last, ...carried]',
    wrong: 'const all = [last]',
  },
  {
    name: 'what a record carried is not waited for',
    file: 'src/grid/mutable/past-blocks.ts',
    right: 'parents: stored }), ready: store.flush() }',
    wrong: 'parents: stored }) }',
  },
  {
    name: 'what came before carried states is lost',
    file: 'src/grid/slots/history.ts',
    right: 'parents: at === carried.length - 1 ? parents : []',
    wrong: 'parents: []',
  },
  {
    name: 'what two states carry is shown twice',
    file: 'src/grid/slots/history.ts',
    right: 'if (name === undefined || !shown.has(name)) yield next',
    wrong: 'yield next',
  },
]
