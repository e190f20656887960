import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { natRules, type NatType } from './nat-rules.ts'

const run = promisify(execFile)

/** A home on the little internet: one machine, and the router that it stands behind unless its type is `none`. */
export interface House {
  readonly name: string
  readonly nat: NatType
}

/**
 * A small internet in network namespaces of its own, with no way out: public machines and houses, whose routers do real
 * NAT by nftables. Needs root, iproute2, nftables and conntrack; miniupnpd for UPnP.
 *
 * Addresses are of 5.5.0.0/16, which libp2p and Hayloft take for the internet's: public machines have 5.5.0.x, routers
 * 5.5.n.1, and what stands behind router n 192.168.n.10.
 */
export class Testbed implements AsyncDisposable {
  readonly #prefix: string
  readonly #dir: string
  readonly #houses = new Map<string, House & { readonly number: number }>()
  #ports = 0
  readonly #upnp = new Map<string, ChildProcess>()
  readonly #processes = new Set<ChildProcess>()

  private constructor(dir: string) {
    this.#dir = dir
    this.#prefix = `hl${process.pid}`
  }

  /** @returns why there can be none on this machine, in words; undefined if there can */
  static async obstacle(): Promise<string | undefined> {
    if (process.platform !== 'linux') return 'network namespaces are a thing of Linux'
    if (process.getuid?.() !== 0) return 'only root may make network namespaces'
    for (const tool of ['ip', 'nft', 'conntrack']) {
      const found = await run('sh', ['-c', `command -v ${tool}`]).catch(() => undefined)
      if (found === undefined)
        return `the program "${tool}" is missing (iproute2, nftables, conntrack)`
    }
    const trial = `hl${process.pid}-trial`
    try {
      await run('ip', ['netns', 'add', trial])
      await run('ip', ['netns', 'exec', trial, 'nft', 'add', 'table', 'inet', 'trial'])
      return undefined
    } catch {
      return 'this system does not let root make network namespaces with firewalls'
    } finally {
      await run('ip', ['netns', 'del', trial]).catch(() => undefined)
    }
  }

  static async build(options: {
    /** Machines with an address of the internet: name → last byte of 5.5.0.x. */
    readonly publicHosts: Readonly<Record<string, number>>
    readonly houses: readonly House[]
  }): Promise<Testbed> {
    const bed = new Testbed(await mkdtemp(join(tmpdir(), 'hayloft-nat-')))
    const script: string[] = [
      ...bed.#namespace('inet'),
      bed.#in('inet', 'ip link add br0 type bridge'),
      bed.#in('inet', 'ip link set br0 up'),
    ]
    for (const [name, byte] of Object.entries(options.publicHosts)) {
      script.push(...bed.#onInternet(name, `5.5.0.${byte}/16`))
    }
    for (const [at, house] of options.houses.entries()) script.push(...bed.#house(house, at + 1))
    await bed.#shell(script)
    for (const { name, nat } of options.houses) await bed.setNat(name, nat)
    return bed
  }

  /** Address on the internet of a house's router, or of the machine itself where there is none. */
  routerAddress(house: string): string {
    const { number, nat } = this.#known(house)
    return nat === 'none' ? `5.5.0.${100 + number}` : `5.5.${number}.1`
  }

  /** Another kind of router; it has forgotten all connections. */
  async setNat(house: string, nat: NatType): Promise<void> {
    const known = this.#known(house)
    if (known.nat === 'none' || nat === 'none') {
      if (known.nat === nat) return
      throw new Error('a house with a router keeps having one')
    }
    const rules = join(this.#dir, `${house}.nft`)
    await writeFile(rules, natRules(nat))
    await this.#shell([
      this.#in(`${house}-r`, 'nft flush ruleset'),
      this.#in(`${house}-r`, `nft -f ${rules}`),
      this.#in(`${house}-r`, 'conntrack -F'),
    ])
    this.#houses.set(house, { ...known, nat })
  }

  /** What a restart of the router does to connections. */
  async rebootRouter(house: string): Promise<void> {
    await this.setNat(house, this.#known(house).nat)
  }

  /** The provider gives the router another address. */
  async changeAddress(house: string, address: string): Promise<void> {
    const { number } = this.#known(house)
    await this.#shell([
      this.#in(`${house}-r`, `ip addr del 5.5.${number}.1/16 dev wan`),
      this.#in(`${house}-r`, `ip addr add ${address}/16 dev wan`),
      this.#in(`${house}-r`, 'conntrack -F'),
    ])
  }

  /** UPnP and NAT-PMP of the router. */
  async setUpnp(house: string, on: boolean): Promise<void> {
    this.#upnp.get(house)?.kill('SIGKILL')
    this.#upnp.delete(house)
    await this.setNat(house, this.#known(house).nat)
    if (!on) return
    const config = join(this.#dir, `${house}-upnp.conf`)
    await writeFile(config, upnpConfig(this.routerAddress(house), this.#known(house).number))
    await this.#shell(UPNP_CHAINS.map((command) => this.#in(`${house}-r`, command)))
    const daemon = this.start(`${house}-r`, ['/usr/sbin/miniupnpd', '-d', '-f', config])
    this.#upnp.set(house, daemon)
  }

  /** A further address of a machine: that in its house, say. */
  async addAddress(host: string, address: string): Promise<void> {
    await this.#shell([this.#in(host, `ip addr add ${address} dev eth0`)])
  }

  /** Takes a machine off the network, or puts it on again. */
  async setLink(host: string, up: boolean): Promise<void> {
    await this.#shell([this.#in(host, `ip link set eth0 ${up ? 'up' : 'down'}`)])
  }

  /** A command that runs another one on a machine. */
  enter(host: string, command: readonly string[]): { command: string; rest: string[] } {
    return { command: 'ip', rest: ['netns', 'exec', this.#name(host), ...command] }
  }

  /** Starts a program on a machine (a public host's or house's name; `<house>-r` for its router). */
  start(
    host: string,
    command: readonly string[],
    { env, log }: { readonly env?: Readonly<Record<string, string>>; readonly log?: number } = {},
  ): ChildProcess {
    const { command: ip, rest } = this.enter(host, command)
    const child = spawn(ip, rest, {
      env: { ...process.env, ...env },
      stdio: ['ignore', log ?? 'pipe', log ?? 'pipe'],
    })
    this.#processes.add(child)
    child.once('exit', () => this.#processes.delete(child))
    // What nobody reads must not fill the pipe.
    child.stdout?.on('data', () => undefined)
    child.stderr?.on('data', () => undefined)
    return child
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = [...this.#processes].map(async (child) => {
      child.kill('SIGKILL')
      await new Promise((resolve) => child.once('exit', resolve))
    })
    await Promise.all(gone)
    const { stdout } = await run('ip', ['netns', 'list'])
    const own = stdout
      .split('\n')
      .map((line) => line.split(' ')[0] ?? '')
      .filter((name) => name.startsWith(`${this.#prefix}-`))
    await this.#shell(own.map((name) => `ip netns del ${name}`))
    await rm(this.#dir, { recursive: true, force: true })
  }

  #known(house: string): House & { readonly number: number } {
    const known = this.#houses.get(house)
    if (known === undefined) throw new Error(`there is no house ${house}`)
    return known
  }

  #name(host: string): string {
    return `${this.#prefix}-${host}`
  }

  #in(host: string, command: string): string {
    return `ip netns exec ${this.#name(host)} ${command}`
  }

  #namespace(host: string): string[] {
    return [`ip netns add ${this.#name(host)}`, this.#in(host, 'ip link set lo up')]
  }

  #onInternet(host: string, address: string, device = 'eth0'): string[] {
    const [inet, own] = [this.#name('inet'), this.#name(host)]
    // Names of devices have 15 characters at most.
    const port = `port${this.#ports++}`
    return [
      ...(device === 'eth0' ? this.#namespace(host) : []),
      `ip link add ${device} netns ${own} type veth peer name ${port} netns ${inet}`,
      this.#in('inet', `ip link set ${port} master br0 up`),
      this.#in(host, `ip addr add ${address} dev ${device}`),
      this.#in(host, `ip link set ${device} up`),
      // Where machines ask into the room.
      this.#in(host, `ip route add 224.0.0.0/4 dev ${device}`),
    ]
  }

  #house(house: House, number: number): string[] {
    this.#houses.set(house.name, { ...house, number })
    const { name } = house
    if (house.nat === 'none') return this.#onInternet(name, `5.5.0.${100 + number}/16`)
    const router = `${name}-r`
    return [
      ...this.#namespace(router),
      ...this.#onInternet(router, `5.5.${number}.1/16`, 'wan'),
      ...this.#namespace(name),
      `ip link add eth0 netns ${this.#name(name)} type veth peer name lan netns ${this.#name(router)}`,
      this.#in(router, `ip addr add 192.168.${number}.1/24 dev lan`),
      this.#in(router, 'ip link set lan up'),
      this.#in(router, 'sysctl -qw net.ipv4.ip_forward=1'),
      this.#in(name, `ip addr add 192.168.${number}.10/24 dev eth0`),
      this.#in(name, 'ip link set eth0 up'),
      this.#in(name, `ip route add default via 192.168.${number}.1`),
    ]
  }

  async #shell(lines: readonly string[]): Promise<void> {
    await run('sh', ['-e', '-c', lines.join('\n')])
  }
}

/** Where miniupnpd puts its rules. */
const UPNP_CHAINS = [
  'nft add chain inet n upnp_fwd',
  'nft add chain inet n upnp_pre',
  'nft add chain inet n upnp_post',
  'nft insert rule inet n pre iifname wan jump upnp_pre',
  'nft insert rule inet n post oifname wan jump upnp_post',
]

function upnpConfig(address: string, number: number): string {
  return [
    'ext_ifname=wan',
    `ext_ip=${address}`,
    'listening_ip=lan',
    'enable_natpmp=yes',
    'enable_upnp=yes',
    'secure_mode=yes',
    'upnp_table_name=n',
    'upnp_nat_table_name=n',
    'upnp_forward_chain=upnp_fwd',
    'upnp_nat_chain=upnp_pre',
    'upnp_nat_postrouting_chain=upnp_post',
    `uuid=000000${String(number).padStart(2, '0')}-0000-0000-0000-000000000000`,
    'system_uptime=yes',
    'allow 1024-65535 0.0.0.0/0 1024-65535',
    '',
  ].join('\n')
}
