import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { systemClock } from '../../src/foundation/system.ts'
import { NatGrid } from '../../test/nat/nat-grid.ts'
import { Testbed } from '../../test/nat/testbed.ts'
import { REPOSITORY } from '../command.ts'

/** Both ways together. */
export const ROUND_TRIP_MS = 50
/** What a house's line carries. */
export interface HouseLine {
  readonly upMbit: number
  readonly downMbit: number
}

export const USUAL_LINE: HouseLine = { upMbit: 20, downMbit: 50 }
/** A telephone line, as many still have it. */
export const SLOW_LINE: HouseLine = { upMbit: 1, downMbit: 4 }

const FAR_NODES = 10

const HOUSE = 'client'
const ROUTER = `${HOUSE}-r`
const HUB = 'n0'
/** Of 5.5.0.x, the first node's. */
const FIRST_BYTE = 10
const BARE_PORT = 5001
/** Nodes that the bare line leads to at once: their uplinks together carry more than the house takes. */
const BARE_ENDS = 4
const PROGRAM = join(REPOSITORY, 'bin/hayloft.js')
/** What a home router or its provider keeps waiting before it drops. */
const QUEUE_MS = 100

/**
 * A grid on the little internet of the tests: ten nodes with uplinks of 20 Mbit/s, and a home behind a router whose line
 * carries 20 Mbit/s up and 50 down, 50 ms away from all of them.
 */
export class FarGrid implements AsyncDisposable {
  readonly #grid: NatGrid
  readonly #dir: string

  private constructor(grid: NatGrid, dir: string) {
    this.#grid = grid
    this.#dir = dir
  }

  /** @returns why there can be none on this machine, in words; undefined if there can */
  static async obstacle(): Promise<string | undefined> {
    const obstacle = await Testbed.obstacle()
    if (obstacle !== undefined) return obstacle
    for (const tool of ['tc', 'ethtool', 'cc']) {
      const found = await run('sh', ['-c', `command -v ${tool}`]).catch(() => undefined)
      if (found === undefined) return `the program "${tool}" is missing (iproute2, ethtool, gcc)`
    }
    return undefined
  }

  /** @param dir - for what is stored and compiled */
  static async start(dir: string): Promise<FarGrid> {
    const nodes = Array.from({ length: FAR_NODES }, (_, at) => `n${at}`)
    const client = { name: HOUSE, role: 'client' } as const
    const nat = await NatGrid.build({
      publicHosts: Object.fromEntries(nodes.map((name, at) => [name, FIRST_BYTE + at])),
      houses: [{ name: HOUSE, nat: 'port-restricted' }],
      homes: [
        ...nodes.map((name) => ({ name, role: 'storage' as const })),
        client,
        { ...client, name: 'finder' },
      ],
    })
    const grid = new FarGrid(nat, dir)
    try {
      for (const name of nodes) await grid.#in(name, nodeLine())
      await grid.#makeLine()
      for (const name of nodes) await nat.startNode(name)
      await grid.#serveBareLine()
      return grid
    } catch (thrown) {
      await grid[Symbol.asyncDispose]()
      throw thrown
    }
  }

  /** From now on the line carries this. */
  async changeLine({ upMbit, downMbit }: HouseLine): Promise<void> {
    await this.#in(HOUSE, shaped('eth0', upMbit))
    await this.#in(ROUTER, shaped('lan', downMbit))
  }

  homeOf(name: 'client' | 'finder'): string {
    return this.#grid.homeOf(name)
  }

  /** An invite of the founder. */
  async invite(): Promise<string> {
    const stdout = await this.#grid.run(HUB, ['grid', 'invite', '--json'])
    return (JSON.parse(stdout) as { invite: string }).invite
  }

  /** Runs `hayloft` in the house. */
  async hayloft(
    home: string,
    args: readonly string[],
    signal: AbortSignal,
  ): Promise<{ wallS: number; stdout: string }> {
    return await this.#program([PROGRAM, ...args], { HAYLOFT_HOME: home, NO_COLOR: '1' }, signal)
  }

  /** Runs a program of these measurements in the house. */
  async script(name: string, args: readonly string[], signal: AbortSignal): Promise<string> {
    return (await this.#program(['--import', 'tsx', pathOf(name), ...args], {}, signal)).stdout
  }

  /** @returns bytes a second of content that the line carries with nothing but TCP */
  async bareRate(direction: 'up' | 'down', bytes: number, signal: AbortSignal): Promise<number> {
    const hosts = Array.from({ length: BARE_ENDS }, (_, at) => `5.5.0.${FIRST_BYTE + at}`)
    const words = [direction, hosts.join(','), String(BARE_PORT), String(bytes)]
    return bytes / Number(await this.script('bare-line.ts', words, signal))
  }

  /** Bytes that have passed the house's own network card, all headers included. */
  async bytesOnWire(): Promise<{ up: number; down: number }> {
    const paths = ['tx', 'rx'].map((way) => `/sys/class/net/eth0/statistics/${way}_bytes`)
    const { command, rest } = this.#grid.bed.enter(HOUSE, ['cat', ...paths])
    const [up, down] = (await run(command, rest)).stdout.split('\n')
    return { up: Number(up), down: Number(down) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#grid[Symbol.asyncDispose]()
  }

  async #program(
    words: readonly string[],
    env: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<{ wallS: number; stdout: string }> {
    const { command, rest } = this.#grid.bed.enter(HOUSE, [process.execPath, ...words])
    const startMs = systemClock.monotonicMs()
    const options = { env: { ...process.env, ...env }, maxBuffer: 2 ** 26, signal, cwd: REPOSITORY }
    const { stdout } = await run(command, rest, options)
    return { wallS: (systemClock.monotonicMs() - startMs) / 1000, stdout }
  }

  /** Puts the delay and the rates between the router and the house, where no offloading hides packets. */
  async #makeLine(): Promise<void> {
    const bridge = join(this.#dir, 'delay-bridge')
    await run('cc', ['-O2', '-o', bridge, pathOf('delay-bridge.c')])
    await this.#in(HOUSE, [unloaded('eth0'), shaped('eth0', USUAL_LINE.upMbit), CUBIC].join('\n'))
    await this.#in(ROUTER, routerLine())
    const delayUs = String((ROUND_TRIP_MS / 2) * 1000)
    this.#grid.bed.start(ROUTER, ['nice', '-n', '-10', bridge, 'wire', 'far', delayUs])
  }

  async #serveBareLine(): Promise<void> {
    const words = ['--import', 'tsx', pathOf('bare-line.ts'), 'serve', String(BARE_PORT)]
    for (let at = 0; at < BARE_ENDS; at++) {
      const server = this.#grid.bed.start(`n${at}`, [process.execPath, ...words])
      if (server.stdout !== null) await once(server.stdout, 'data')
    }
  }

  async #in(host: string, script: string): Promise<void> {
    const { command, rest } = this.#grid.bed.enter(host, ['sh', '-ec', script])
    await run(command, rest)
  }
}

const run = promisify(execFile)

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

/** What most systems use; some do not let a namespace choose it, yet its elder. */
const CUBIC =
  '{ sysctl -qw net.ipv4.tcp_congestion_control=cubic || ' +
  'sysctl -qw net.ipv4.tcp_congestion_control=reno; } 2>/dev/null'

function nodeLine(): string {
  return [shaped('eth0', USUAL_LINE.upMbit), CUBIC].join('\n')
}

/** The router's network card to the house becomes `wire`, and `lan` a new one behind the delay. */
function routerLine(): string {
  return [
    "address=$(ip -o -4 addr show dev lan | awk '{print $4}')",
    'ip addr flush dev lan',
    'ip link set lan down',
    'ip link set lan name wire',
    'ip link add lan type veth peer name far',
    'ip addr add $address dev lan',
    ...['wire', 'far', 'lan'].flatMap((device) => [
      unloaded(device),
      `ip link set ${device} up promisc on`,
    ]),
    // Or the router would answer for its address at either end of the delay.
    'ip link set wire arp off',
    'ip link set far arp off',
    shaped('lan', USUAL_LINE.downMbit),
  ].join('\n')
}

function unloaded(device: string): string {
  return `ethtool -K ${device} tx off tso off gso off gro off >/dev/null`
}

function shaped(device: string, mbit: number): string {
  return `tc qdisc replace dev ${device} root tbf rate ${mbit}mbit burst 16kb latency ${QUEUE_MS}ms`
}
