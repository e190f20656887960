import type { RouterKind } from '../../network/paths/router-type.ts'
import type { ReachabilityReason } from '../../network/paths/reachability.ts'
import type { PathKind } from '../../network/paths/path.ts'
import { count, formatBytes } from '../terminal.ts'
import type { Examination } from './examination.ts'

/** What was found about one thing, and what to do if something is wrong with it. */
export interface Finding {
  readonly about: 'reachable' | 'router' | 'members' | 'relays' | 'clock' | 'disk'
  /** `note`: not as good as it could be, and it works. `problem`: something does not. */
  readonly verdict: 'fine' | 'note' | 'problem'
  readonly says: string
  readonly advice?: string
}

/** A clock this far off makes leases, invites and records come out wrong. */
const MAX_CLOCK_DIFFERENCE_MS = 60_000
/** A client keeps caches of some megabytes; a node at least one share. */
const MIN_FREE_BYTES = 64 * 1024 * 1024

export function findingsOf(examination: Examination): Finding[] {
  return [
    reachableFinding(examination),
    routerFinding(examination),
    membersFinding(examination),
    ...relaysFinding(examination),
    clockFinding(examination),
    diskFinding(examination),
  ]
}

function reachableFinding(examination: Examination): Finding {
  const { role, diagnosis } = examination
  const about = 'reachable'
  const { listening, reachability, serves } = diagnosis
  if (role === 'client') {
    return { about, verdict: 'fine', says: 'This is a client: nobody needs to reach it.' }
  }
  if (role === 'stopped-node') {
    return {
      about,
      verdict: 'problem',
      says: 'There is a storage node here, and it does not run.',
      advice: 'Start it with "hayloft start --detach". What follows was tried as a client.',
    }
  }
  if (listening === undefined) {
    return {
      about,
      verdict: 'note',
      says: 'It listens on this machine only, so nobody else can reach it.',
      advice: 'If others are to: hayloft node config --listen /ip4/0.0.0.0/tcp/4001',
    }
  }
  if (reachability.reachable) {
    const helps = serves.relay ? ' It relays for members who cannot be reached.' : ''
    return {
      about,
      verdict: 'fine',
      says: `Others reach this node from outside: ${WHY_REACHABLE[reachability.why]}.${helps}`,
    }
  }
  const says =
    reachability.why === 'configured'
      ? 'Others do not reach this node from outside: so its settings say.'
      : 'Others do not reach this node from outside.'
  return { about, verdict: 'note', says, advice: howToBeReached(examination) }
}

const WHY_REACHABLE: Readonly<Record<ReachabilityReason, string>> = {
  configured: 'its settings say so',
  'dialed-back': 'a member has tried',
  'was-reached': 'somebody has come in',
  mapped: 'the router forwards its port',
  'public-address': 'its address is one of the internet, though nobody has tried yet',
  'not-reached': 'which a member could not confirm',
  'no-evidence': 'though nothing shows it',
}

function howToBeReached({ diagnosis, settings }: Examination): string {
  const { mapping, listening, router, reachability } = diagnosis
  const { host, port } = listening ?? { host: '', port: 0 }
  if (reachability.why === 'configured') {
    return 'To have it find out: hayloft node config --reachable auto'
  }
  if (mapping.kind === 'private') {
    return (
      `Beyond your router there is another one (yours has the address ${mapping.host}): ask your provider for an ` +
      'address of your own. Until then other members relay, or let you through.'
    )
  }
  if (router === 'none') {
    return `A firewall seems to keep others out: let TCP port ${port} in, and UDP port ${port} with it.`
  }
  const forward = `forward TCP port ${port}, and UDP port ${port} with it, to ${host}`
  if (settings?.portMapping === false) {
    return `Let it ask the router (hayloft node config --port-mapping on), or ${forward}.`
  }
  return mapping.kind === 'mapped'
    ? `The router says that it forwards port ${mapping.external.port}, and nothing comes through. Start the router anew, or ${forward}.`
    : `Switch UPnP on in the router, or ${forward}.`
}

function routerFinding({ diagnosis: { router, seenHosts } }: Examination): Finding {
  const seen = seenHosts.length === 0 ? '' : ` Others see you at ${seenHosts.join(', ')}.`
  const { verdict, says, advice } = SAID_OF_ROUTER[router]
  return {
    about: 'router',
    verdict,
    says: `${says}${seen}`,
    ...(advice !== undefined && { advice }),
  }
}

const SAID_OF_ROUTER: Readonly<Record<RouterKind, Omit<Finding, 'about'>>> = {
  none: {
    verdict: 'fine',
    says: 'No router in between: this machine has an address of the internet.',
  },
  cone: {
    verdict: 'fine',
    says: 'A lenient router (full cone): paths to most others become direct.',
  },
  'address-restricted': {
    verdict: 'fine',
    says: 'A lenient router (address-restricted): paths to most others become direct.',
  },
  'port-restricted': {
    verdict: 'fine',
    says: 'An ordinary router (port-restricted): paths become direct, but for those to members behind a symmetric router.',
  },
  symmetric: {
    verdict: 'note',
    says: 'A strict router (symmetric): only members that can be reached or have a lenient router get a direct path.',
    advice: 'If your router has a setting for its kind of NAT ("gaming", "cone"), that helps.',
  },
  lenient: {
    verdict: 'fine',
    says: 'A lenient router; a second member that can be reached would tell more.',
  },
  strict: {
    verdict: 'fine',
    says: 'A router that lets in only what was asked for; a second member that can be reached would tell how strictly.',
  },
  blocked: {
    verdict: 'note',
    says: 'No UDP comes through the router or a firewall, so there is no WebRTC.',
    advice: 'Let UDP out, if you may decide that.',
  },
  unknown: {
    verdict: 'fine',
    says: 'What kind of router there is cannot be told without a member that can be reached from the internet.',
  },
}

/** How people call the paths. */
export const SAID_OF_PATH: Readonly<Record<PathKind | 'none', string>> = {
  direct: 'direct',
  punched: 'direct (punched)',
  webrtc: 'direct (WebRTC)',
  relayed: 'relayed',
  none: 'not reached',
}

function membersFinding({ diagnosis: { members } }: Examination): Finding {
  const about = 'members'
  if (members.length === 0) {
    return { about, verdict: 'fine', says: 'The grid has no other nodes.' }
  }
  const away = members.filter(({ path }) => path === 'none').length
  const relayed = members.filter(({ path }) => path === 'relayed').length
  const direct = members.length - away - relayed
  const says = `Of ${count(members.length, 'other node')}, ${direct} directly, ${relayed} through a relay, ${away} not at all.`
  if (away === members.length) {
    return {
      about,
      verdict: 'problem',
      says,
      advice: 'Is this machine on the internet? Is at least one other member?',
    }
  }
  return { about, verdict: away > 0 ? 'note' : 'fine', says }
}

/** Members behind routers need one that is not. */
function relaysFinding({ role, diagnosis }: Examination): Finding[] {
  const { listening, reachability, relays } = diagnosis
  if (role !== 'node' || listening === undefined || reachability.reachable) return []
  if (relays.length > 0) {
    const says = `Others reach it through ${count(relays.length, 'member')} that ${relays.length === 1 ? 'relays' : 'relay'}.`
    return [{ about: 'relays', verdict: 'fine', says }]
  }
  return [
    {
      about: 'relays',
      verdict: 'problem',
      says: 'No member relays for it, so others behind routers cannot reach it.',
      advice:
        'One member of the grid has to be reachable from the internet: by a router with UPnP or a forwarded port, or on ' +
        'a rented server.',
    },
  ]
}

function clockFinding({ diagnosis: { clockAheadMs } }: Examination): Finding {
  const about = 'clock'
  if (clockAheadMs === undefined) {
    return { about, verdict: 'note', says: 'Nobody could be asked for the time.' }
  }
  const offS = Math.round(Math.abs(clockAheadMs) / 1000)
  if (Math.abs(clockAheadMs) <= MAX_CLOCK_DIFFERENCE_MS) {
    return { about, verdict: 'fine', says: 'It agrees with those of other members.' }
  }
  const direction = clockAheadMs > 0 ? 'ahead of' : 'behind'
  return {
    about,
    verdict: 'problem',
    says: `It is ${spanOf(offS)} ${direction} those of other members.`,
    advice: 'Set it, or switch on that the system sets it by itself.',
  }
}

function spanOf(seconds: number): string {
  if (seconds < 120) return count(seconds, 'second')
  if (seconds < 7_200) return count(Math.round(seconds / 60), 'minute')
  return seconds < 172_800
    ? count(Math.round(seconds / 3_600), 'hour')
    : count(Math.round(seconds / 86_400), 'day')
}

function diskFinding({ disk, settings }: Examination): Finding {
  const about = 'disk'
  const free = `${formatBytes(disk.freeBytes)} free`
  if (!disk.writable) {
    return {
      about,
      verdict: 'problem',
      says: `Nothing can be written to ${disk.path}.`,
      advice: 'Is the disk mounted read-only, or does the directory belong to somebody else?',
    }
  }
  const needed = Math.max(MIN_FREE_BYTES, settings?.reserveBytes ?? 0)
  if (disk.freeBytes < needed) {
    return {
      about,
      verdict: 'problem',
      says:
        settings === undefined
          ? `Only ${free}.`
          : `Only ${free}, of which ${formatBytes(settings.reserveBytes)} are to stay so: the node takes nothing new.`,
      advice: 'Make room on that disk.',
    }
  }
  return { about, verdict: 'fine', says: `${free}.` }
}
