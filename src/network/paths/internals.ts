import type {
  ComponentLogger,
  ConnectionGater,
  PeerId,
  PeerStore,
  PrivateKey,
  TypedEventTarget,
  Libp2pEvents,
  Upgrader,
} from '@libp2p/interface'
import type {
  AddressManager,
  ConnectionManager,
  RandomWalk,
  Registrar,
  TransportManager,
} from '@libp2p/interface-internal'

/** The parts of a libp2p host that what finds paths works with, and that its users' interface does not show. */
export interface Internals {
  readonly peerId: PeerId
  readonly privateKey: PrivateKey
  readonly upgrader: Upgrader
  readonly registrar: Registrar
  readonly transportManager: TransportManager
  readonly connectionManager: ConnectionManager
  readonly connectionGater: ConnectionGater
  readonly addressManager: AddressManager
  readonly peerStore: PeerStore
  readonly randomWalk: RandomWalk
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
}
